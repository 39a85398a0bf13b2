// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ModelRepository} from "../ModelRepository.sol";
import {IModelTypes} from "../interfaces/IModelTypes.sol";
import {Cheats} from "./Cheats.sol";
import {MarketHandler} from "./MarketHandler.sol";

/// @title What holds whatever anybody does
/// @notice The invariants of `contracts/README.md`, by number.
contract ModelRepositoryInvariants is Cheats {
    ModelRepository private _repository;
    MarketHandler private _market;

    function setUp() external {
        _repository = new ModelRepository();
        _market = new MarketHandler(_repository);
        _market.create({seed: 1, bounty: 1e18, extraBond: 0});
    }

    /// @dev forge calls only these.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_market);
    }

    struct Selectors {
        address target;
        bytes4[] selectors;
    }

    /// @dev … and of them only the moves.
    function targetSelectors() external view returns (Selectors[] memory targets) {
        bytes4[] memory moves = new bytes4[](15);
        moves[0] = MarketHandler.create.selector;
        moves[1] = MarketHandler.topUp.selector;
        moves[2] = MarketHandler.settle.selector;
        moves[3] = MarketHandler.settleClosing.selector;
        moves[4] = MarketHandler.end.selector;
        moves[5] = MarketHandler.contribute.selector;
        moves[6] = MarketHandler.withdraw.selector;
        moves[7] = MarketHandler.claim.selector;
        moves[8] = MarketHandler.failRound.selector;
        moves[9] = MarketHandler.reclaim.selector;
        moves[10] = MarketHandler.wait.selector;
        moves[11] = MarketHandler.waitLong.selector;
        moves[12] = MarketHandler.attack.selector;
        moves[13] = MarketHandler.playRound.selector;
        moves[14] = MarketHandler.endAndScore.selector;
        targets = new Selectors[](1);
        targets[0] = Selectors({target: address(_market), selectors: moves});
    }

    /// @notice All of them after each move; one campaign of the fuzzer for all. An honest move must never be
    /// refused.
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.depth = 100
    function invariant_promisesHold() external view {
        _moneyInIsMoneyOutOwedAndBurned();
        _noModelPaysWithAnothersMoney();
        _rewardsNeverExceedTheBounty();
        _nothingGoesBack();
    }

    /// @dev 1. Money in = money out + money owed + money burned, and what is owed is there.
    function _moneyInIsMoneyOutOwedAndBurned() private view {
        uint256 owed = _repository.burned();
        for (uint256 i = 0; i < _market.accounts(); ++i) {
            owed += _repository.credit(_market.account(i));
        }
        for (uint256 id = 1; id <= _repository.modelCount(); ++id) {
            owed += _escrowOf(id);
        }
        vm.assertEq(address(_repository).balance, _market.paidIn() - _market.paidOut(), "balance");
        vm.assertEq(owed, address(_repository).balance, "owed and held");
    }

    /// @dev 2. A model never pays with another's money: in = credited + burned + still there, for each.
    function _noModelPaysWithAnothersMoney() private view {
        for (uint256 id = 1; id <= _repository.modelCount(); ++id) {
            uint256 gone = _market.modelCredited(id) + _market.modelBurned(id);
            vm.assertEq(_market.modelIn(id), gone + _escrowOf(id), "a model's money");
        }
    }

    /// @dev 3. Rewards of a model never exceed its bounty, and what is left and held is what no round has
    /// taken.
    function _rewardsNeverExceedTheBounty() private view {
        for (uint256 id = 1; id <= _repository.modelCount(); ++id) {
            IModelTypes.Model memory m = _repository.model(id);
            uint256 money = 0;
            for (uint256 n = 1; n <= m.rounds; ++n) {
                money += _repository.round(id, n).money;
            }
            vm.assertLe(money, m.bounty, "money of the rounds");
            vm.assertLe(_market.modelRewards(id), m.bounty, "rewards");
            if (m.status == IModelTypes.Status.Open) {
                vm.assertEq(m.left + money, m.bounty, "left");
                vm.assertGe(uint256(m.bond) * 2, m.bounty, "bond");
                vm.assertTrue(m.left != 0, "open with nothing left");
            }
        }
    }

    /// @dev 4. Models and rounds move only forward.
    function _nothingGoesBack() private view {
        vm.assertTrue(!_market.wentBack(), "a model or a round went back");
    }

    /// @notice 5. Everything has an exit by time alone, and nothing but what is burned stays.
    function afterInvariant() external {
        _market.finish();
        vm.assertEq(address(_repository).balance, _repository.burned(), "money was locked in");
        for (uint256 id = 1; id <= _repository.modelCount(); ++id) {
            vm.assertEq(
                _market.modelIn(id),
                _market.modelCredited(id) + _market.modelBurned(id),
                "a model's money in the end"
            );
        }
    }

    /// @dev Wei of a model that nobody has been credited with: bounty left and held, bond, and what its seats
    /// can still claim or could after a settlement. Computed from the views and the formulas of the README.
    function _escrowOf(uint256 id) private view returns (uint256 escrow) {
        IModelTypes.Model memory m = _repository.model(id);
        escrow = uint256(m.left) + m.held + m.bond;
        uint256 compensations = 0;
        for (uint256 n = 1; n <= m.rounds; ++n) {
            IModelTypes.Round memory r = _repository.round(id, n);
            uint256 sum = 0;
            for (uint256 i = 0; i < r.seats; ++i) {
                IModelTypes.Seat memory s = _repository.seat(id, n, i);
                uint256 share = uint8(r.shares[i]);
                uint256 atOnce = r.money - r.held;
                bool rejected = r.rejections[i] != 0;
                if (!s.claimed) {
                    escrow += rejected ? s.stake - s.stake / 10 : s.stake;
                    escrow += atOnce * (sum + share) / 64 - atOnce * sum / 64;
                }
                sum += share;
                if (m.failed && !rejected && !s.heldClaimed) ++compensations;
            }
        }
        if (compensations != 0) escrow += compensations * _compensationOf(id, m.rounds);
    }

    /// @dev Wei each seat of a failed model is due: what a seat of its failed round can claim beyond its
    /// stake, or has claimed, by its own formula.
    function _compensationOf(uint256 id, uint256 rounds) private view returns (uint256) {
        for (uint256 n = rounds; n >= 1; --n) {
            IModelTypes.Round memory r = _repository.round(id, n);
            for (uint256 i = 0; i < r.seats; ++i) {
                IModelTypes.Seat memory s = _repository.seat(id, n, i);
                if (r.rejections[i] != 0 || s.heldClaimed) continue;
                (, uint256 reward) = _repository.claimable(id, n, i);
                if (s.claimed) return reward;
                uint256 sum = 0;
                for (uint256 j = 0; j < i; ++j) {
                    sum += uint8(r.shares[j]);
                }
                uint256 atOnce = r.money - r.held;
                return reward - (atOnce * (sum + uint8(r.shares[i])) / 64 - atOnce * sum / 64);
            }
        }
        return 0;
    }
}
