// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ModelRepository} from "../ModelRepository.sol";
import {IModelTypes} from "../interfaces/IModelTypes.sol";
import {MarketState} from "./MarketState.sol";

/// @title Lenders, data owners, an attacker and time
/// @notice Everything a fuzzer may do to a repository. The honest moves are only tried where the rules allow
/// them and must then succeed; the attacker tries anything. All money is counted here a second time.
contract MarketHandler is MarketState {
    constructor(ModelRepository repository) MarketState(repository) {}

    // --------------------------------------------------------------------------------------------------- Lenders

    function create(uint256 seed, uint256 bounty, uint256 extraBond) external moving {
        if (REPOSITORY.modelCount() == MAX_MODELS) return;
        bounty = _within(bounty, 1000, 1e24);
        uint256 bond = (bounty + 1) / 2 + extraBond % 1000;
        IModelTypes.Terms memory terms = _terms(seed, bounty);
        IModelTypes.Publication memory publication;
        publication.spec = _digest();
        publication.baseWeights = _digest();
        publication.weightsCommitment = _digest();
        publication.scoringCommitment = _digest();
        if (terms.closingSharePpm != 0) publication.closingCommitment = _digest();
        address from = lender(seed);
        _fund(from, bounty + bond);
        vm.prank(from);
        uint256 id = REPOSITORY.createModel{value: bounty + bond}(bounty, bond, publication, terms);
        _countIn(id, bounty + bond);
    }

    function topUp(uint256 seed, uint256 bounty, uint256 bond) external moving {
        (uint256 id, IModelTypes.Model memory m) = _model(seed);
        if (m.status != IModelTypes.Status.Open) return;
        bounty = _within(bounty, 0, 1e24);
        bond = (bounty + 1) / 2 + bond % 1000;
        _fund(m.lender, bounty + bond);
        vm.prank(m.lender);
        REPOSITORY.topUp{value: bounty + bond}(id, bounty, bond);
        _countIn(id, bounty + bond);
    }

    function settle(uint256 seed, uint256 lossSeed) public moving {
        (uint256 id, IModelTypes.Model memory m) = _model(seed);
        IModelTypes.RoundState state = _currentState(id, m);
        if (state != IModelTypes.RoundState.Delivering && state != IModelTypes.RoundState.AwaitingSettlement) return;
        IModelTypes.Settlement memory s = _settlement(id, m, seed, lossSeed);
        uint256 burned = REPOSITORY.burned();
        vm.prank(m.lender);
        REPOSITORY.settle(id, s);
        modelBurned[id] += REPOSITORY.burned() - burned;
    }

    function settleClosing(uint256 seed) public moving {
        (uint256 id, IModelTypes.Model memory m) = _model(seed);
        if (m.status != IModelTypes.Status.Closing || m.closingSettled || _now > m.closingBy) return;
        uint64[] memory losses = new uint64[](m.rounds + 1);
        losses[0] = 1000;
        for (uint256 n = 1; n <= m.rounds; ++n) {
            bool paid = REPOSITORY.round(id, n).money != 0;
            losses[n] =
                paid ? uint64(_within(uint256(keccak256(abi.encode(seed, n))), 0, 1200)) : losses[n - 1];
        }
        vm.prank(m.lender);
        REPOSITORY.settleClosing(id, losses);
    }

    function end(uint256 seed) public moving {
        (uint256 id, IModelTypes.Model memory m) = _model(seed);
        if (m.status != IModelTypes.Status.Open || _isRunning(id, m)) return;
        bool late = _now > REPOSITORY.terms(id).deadline;
        uint256 before = REPOSITORY.credit(m.lender);
        vm.prank(late ? attacker() : m.lender);
        REPOSITORY.end(id);
        modelCredited[id] += REPOSITORY.credit(m.lender) - before;
    }

    /// @notice A whole round at once: seats, time, settlement. Without it few sequences get far.
    function playRound(uint256 seed, uint256 lossSeed) external {
        uint256 models = REPOSITORY.modelCount();
        for (uint256 i = 0; i < 1 + lossSeed % 4; ++i) {
            // The same model, another data owner.
            contribute(seed % models + (seed % 4 + i) * models * 256);
        }
        (uint256 id, IModelTypes.Model memory m) = _model(seed);
        if (_currentState(id, m) == IModelTypes.RoundState.Collecting) wait(40);
        settle(seed, lossSeed);
    }

    /// @notice Training ends and is scored at once.
    function endAndScore(uint256 seed) external {
        end(seed);
        settleClosing(seed);
    }

    // ----------------------------------------------------------------------------------------------- Data owners

    function contribute(uint256 seed) public moving {
        (uint256 id, IModelTypes.Model memory m) = _model(seed);
        IModelTypes.Terms memory terms = REPOSITORY.terms(id);
        bool running = _isRunning(id, m);
        if (m.status != IModelTypes.Status.Open || (!running && _now > terms.deadline)) return;
        if (running) {
            IModelTypes.Round memory r = REPOSITORY.round(id, m.rounds);
            uint256 seats = m.rounds == 1 && terms.pilotSeats != 0 ? terms.pilotSeats : terms.seats;
            if (r.state != IModelTypes.RoundState.Collecting || r.seats == seats) return;
        }
        IModelTypes.Contribution memory c;
        c.round = running ? m.rounds : m.rounds + 1;
        c.baseWeights = m.baseWeights;
        (c.payload, c.tagRoot, c.updateDigest, c.nonce) = (_digest(), _digest(), _digest(), _digest());
        c.rows = 1;
        address from = owner(seed);
        _fund(from, terms.stake);
        vm.prank(from);
        REPOSITORY.contribute{value: terms.stake}(id, c);
        _countIn(id, terms.stake);
    }

    function withdraw(uint256 seed) external moving {
        address from = account(seed);
        uint256 due = REPOSITORY.credit(from);
        if (due == 0) return;
        vm.prank(from);
        uint256 amount = REPOSITORY.withdraw();
        vm.assertEq(amount, due, "withdrew something else than its credit");
        paidOut += amount;
    }

    // ---------------------------------------------------------------------------------------------------- Anyone

    /// @notice Claim for about half of all seats of a model.
    function claim(uint256 seed, uint256 choice) external moving {
        (uint256 id, IModelTypes.Model memory m) = _model(seed);
        for (uint256 n = 1; n <= m.rounds; ++n) {
            uint256 seats = REPOSITORY.round(id, n).seats;
            for (uint256 i = 0; i < seats; ++i) {
                choice = uint256(keccak256(abi.encode(choice)));
                if (choice % 2 == 0) claimSeat(id, n, i);
            }
        }
    }

    function failRound(uint256 seed) external moving {
        (uint256 id, IModelTypes.Model memory m) = _model(seed);
        if (_currentState(id, m) != IModelTypes.RoundState.Overdue) return;
        uint256 burned = REPOSITORY.burned();
        vm.prank(attacker());
        REPOSITORY.failRound(id);
        modelBurned[id] += REPOSITORY.burned() - burned;
    }

    function reclaim(uint256 seed) external moving {
        (uint256 id, IModelTypes.Model memory m) = _model(seed);
        if (m.status != IModelTypes.Status.Closing || _now < m.reclaimFrom) return;
        uint256 before = REPOSITORY.credit(m.lender);
        vm.prank(attacker());
        REPOSITORY.reclaim(id);
        modelCredited[id] += REPOSITORY.credit(m.lender) - before;
    }

    function wait(uint256 seconds_) public moving {
        _now += _within(seconds_, 1, 40);
        vm.warp(_now);
    }

    function waitLong(uint256 seconds_) external moving {
        if (seconds_ % 8 != 0) return;
        _now += 200;
        vm.warp(_now);
    }

    /// @notice The attacker tries what it may not do, at every moment; each attempt must be refused.
    function attack(uint256 seed, uint256 kind, uint256 number, uint256 index) external moving {
        (uint256 id, IModelTypes.Model memory m) = _model(seed);
        kind %= 10;
        if (kind == 0) return _mustFail(0, abi.encodeCall(REPOSITORY.withdraw, ()));
        if (kind == 1) return _mustFail(0, "");
        if (kind == 2) return _mustFail(0, abi.encodeCall(REPOSITORY.topUp, (id, 0, 0)));
        if (kind == 3) {
            return _mustFail(0, abi.encodeCall(REPOSITORY.settle, (id, _settlement(id, m, seed, index))));
        }
        if (kind == 4) {
            return _mustFail(0, abi.encodeCall(REPOSITORY.settleClosing, (id, new uint64[](m.rounds + 1))));
        }
        if (kind == 5) {
            if (
                m.status == IModelTypes.Status.Open && !_isRunning(id, m)
                    && _now > REPOSITORY.terms(id).deadline
            ) return;
            return _mustFail(0, abi.encodeCall(REPOSITORY.end, (id)));
        }
        if (kind == 6) {
            if (m.status == IModelTypes.Status.Closing && _now >= m.reclaimFrom) return;
            return _mustFail(0, abi.encodeCall(REPOSITORY.reclaim, (id)));
        }
        if (kind == 7) {
            if (_currentState(id, m) == IModelTypes.RoundState.Overdue) return;
            return _mustFail(0, abi.encodeCall(REPOSITORY.failRound, (id)));
        }
        if (m.rounds == 0) return;
        number = _within(number, 1, m.rounds);
        index = _within(index, 0, REPOSITORY.round(id, number).seats - 1);
        if (kind == 8) {
            claimSeat(id, number, index);
            return _mustFail(0, abi.encodeCall(REPOSITORY.claim, (id, number, index)));
        }
        // A contribution to a round that is over, or without its stake, or to the next one on a stale base.
        IModelTypes.Contribution memory c;
        c.round = m.rounds;
        (c.payload, c.tagRoot, c.updateDigest, c.nonce) = (_digest(), _digest(), _digest(), _digest());
        c.rows = 1;
        _mustFail(REPOSITORY.terms(id).stake, abi.encodeCall(REPOSITORY.contribute, (id, c)));
    }

    /// @dev Call as the attacker, with a purse that is full enough.
    function _mustFail(uint256 value, bytes memory data) private {
        vm.deal(attacker(), value);
        vm.prank(attacker());
        (bool done,) = address(REPOSITORY).call{value: value}(data);
        vm.assertTrue(!done, "the attacker got through");
    }

    /// @notice Bring every model to its end by time alone and pay out everything, with nobody but a stranger
    /// moving.
    function finish() external {
        uint256 models = REPOSITORY.modelCount();
        for (uint256 step = 0; step < 3; ++step) {
            _now += 1000;
            vm.warp(_now);
            for (uint256 id = 1; id <= models; ++id) {
                _finishStep(id);
            }
        }
        for (uint256 id = 1; id <= models; ++id) {
            IModelTypes.Model memory m = REPOSITORY.model(id);
            vm.assertEq(uint256(m.status), uint256(IModelTypes.Status.Ended), "a model has no exit by time");
            for (uint256 n = 1; n <= m.rounds; ++n) {
                uint256 seats = REPOSITORY.round(id, n).seats;
                for (uint256 i = 0; i < seats; ++i) {
                    claimSeat(id, n, i);
                }
            }
        }
        for (uint256 i = 0; i < LENDERS + OWNERS; ++i) {
            address from = account(i);
            if (REPOSITORY.credit(from) == 0) continue;
            vm.prank(from);
            paidOut += REPOSITORY.withdraw();
        }
    }

    /// @dev Whatever anyone can do to move a model on.
    function _finishStep(uint256 id) private {
        IModelTypes.Model memory m = REPOSITORY.model(id);
        uint256 burned = REPOSITORY.burned();
        uint256 before = REPOSITORY.credit(m.lender);
        vm.prank(attacker());
        if (m.status == IModelTypes.Status.Open) {
            if (_isRunning(id, m)) REPOSITORY.failRound(id);
            else REPOSITORY.end(id);
        } else if (m.status == IModelTypes.Status.Closing) {
            REPOSITORY.reclaim(id);
        }
        modelBurned[id] += REPOSITORY.burned() - burned;
        modelCredited[id] += REPOSITORY.credit(m.lender) - before;
    }
}
