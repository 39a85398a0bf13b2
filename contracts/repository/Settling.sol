// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModelRepository} from "../interfaces/IModelRepository.sol";
import {Digests} from "../libraries/Digests.sol";
import {RewardMath} from "../libraries/RewardMath.sol";
import {Training} from "./Training.sol";

/// @title Settling a round
/// @notice One call checks a round's loss, shares, rejections and next base against each other and moves its
/// money.
abstract contract Settling is Training {
    /// @dev What a settlement's event says beyond the settlement; one struct, because the stack is short.
    struct Amounts {
        uint64 lossBefore;
        uint256 money;
        uint256 held;
    }

    /// @inheritdoc IModelRepository
    function settle(uint256 modelId, Settlement calldata settlement) external override {
        // Check
        ModelRecord storage m = _open(modelId);
        if (msg.sender != m.head.lender) revert NotLender(modelId, msg.sender);
        uint256 number = m.head.rounds;
        RoundHead storage head = m.rounds[number].head;
        RoundState state = _stateOf(m.terms, number, head);
        if (settlement.round != number) revert RoundMismatch(modelId, settlement.round, number);
        if (state != RoundState.Delivering && state != RoundState.AwaitingSettlement) {
            revert RoundNotSettleable(modelId, number, state);
        }
        uint256 money = _moneyFor(m, settlement.loss);
        _checkBase(m, settlement, money != 0);
        (Split memory split, uint256 accepted, uint256 penalties) =
            _splitOf(m.rounds[number], settlement, head.seats, money != 0, _deliverBy(m.terms, head));

        // Effect
        _recordSettlement(modelId, m, settlement, money, split);
        _countSettled(m, settlement.loss, accepted, money != 0);
        if (penalties != 0) _burn(penalties);
        if (m.progress.best <= m.terms.targetLoss || number == m.terms.maxRounds) _endTraining(modelId, m);
    }

    /// @dev Money of the running round for a reported loss, which must lie on the grid.
    function _moneyFor(ModelRecord storage m, uint256 loss) private view returns (uint256) {
        uint256 initial = m.terms.initialLoss;
        uint256 target = m.terms.targetLoss;
        uint256 steps = m.terms.lossSteps;
        if (steps != 0) {
            uint256 step = (initial - target) / steps;
            if (loss % step != initial % step) revert LossOffGrid(loss, step);
        }
        return RewardMath.roundMoney({
            left: m.funds.left, best: m.progress.best, loss: loss, target: target, minGain: m.terms.minGain
        });
    }

    /// @dev Base weights change exactly when the round has money.
    function _checkBase(ModelRecord storage m, Settlement calldata settlement, bool paid) private view {
        Base storage base = m.bases[m.head.paidRound];
        bytes32 weights = base.weights;
        bytes32 commitment = base.commitment;
        if (paid) {
            if (settlement.nextWeights == weights) revert BaseMustChange(weights);
            if (settlement.weightsCommitment == commitment) revert BaseMustChange(commitment);
            Digests.mustExist(settlement.nextWeights, "nextWeights");
            Digests.mustExist(settlement.weightsCommitment, "weightsCommitment");
        } else {
            if (settlement.nextWeights != weights) revert BaseMustStay(settlement.nextWeights, weights);
            if (settlement.weightsCommitment != commitment) {
                revert BaseMustStay(settlement.weightsCommitment, commitment);
            }
        }
    }

    /// @dev Check shares and rejections and pack them; count accepted seats and add up the burned parts of
    /// stakes.
    function _splitOf(
        RoundRecord storage r,
        Settlement calldata settlement,
        uint256 seats,
        bool paid,
        uint256 deliverBy
    ) private view returns (Split memory split, uint256 accepted, uint256 penalties) {
        if (settlement.shares.length != seats) {
            revert WrongLength(settlement.shares.length, seats);
        }
        if (settlement.rejections.length != seats) revert WrongLength(settlement.rejections.length, seats);
        uint256 sum = 0;
        uint256 shares = 0;
        uint256 rejections = 0;
        for (uint256 i = 0; i < seats; ++i) {
            uint256 share = settlement.shares[i];
            Rejection rejection = settlement.rejections[i];
            if (rejection == Rejection.Accepted) {
                accepted += 1;
            } else {
                if (rejection == Rejection.NotDelivered && block.timestamp <= deliverBy) {
                    revert StillDeliverable(i, deliverBy);
                }
                penalties += RewardMath.stakePenalty(r.seats[i].stake);
            }
            if (share != 0 && (!paid || rejection != Rejection.Accepted)) revert UnexpectedShares(i, share);
            sum += share;
            // Byte i from the left of sixteen: i is below 16 because a round has at most that many seats.
            shares |= share << (120 - 8 * i);
            rejections |= uint256(rejection) << (120 - 8 * i);
        }
        if (paid && sum != RewardMath.WHOLE) revert SharesSum(sum, RewardMath.WHOLE);
        // Safe casts: bytes are placed within the lowest sixteen.
        split = Split({shares: bytes16(uint128(shares)), rejections: bytes16(uint128(rejections))});
    }

    /// @dev Write the round, move its money out of what is left, and tell the world.
    function _recordSettlement(
        uint256 modelId,
        ModelRecord storage m,
        Settlement calldata settlement,
        uint256 money,
        Split memory split
    ) private {
        uint64 best = m.progress.best;
        RoundRecord storage r = m.rounds[settlement.round];
        r.head.outcome = Outcome.Settled;
        r.head.lossAfter = money == 0 ? best : settlement.loss;
        r.split = split;
        uint256 held = 0;
        if (money != 0) {
            held = RewardMath.heldPart(money, m.terms.closingSharePpm);
            // Safe casts: a round's money is at most what was left, below 2^120.
            r.money = RoundMoney({money: uint120(money), heldDue: uint120(held)});
            Funds memory funds = m.funds;
            m.funds = Funds({left: funds.left - uint128(money), held: funds.held + uint128(held)});
            m.bases[settlement.round] =
                Base({weights: settlement.nextWeights, commitment: settlement.weightsCommitment});
        }
        _announce(modelId, settlement, Amounts({lossBefore: best, money: money, held: held}));
    }

    /// @dev Tell the world of a settlement.
    function _announce(uint256 modelId, Settlement calldata settlement, Amounts memory amounts) private {
        emit RoundSettled(
            modelId,
            settlement.round,
            amounts.lossBefore,
            settlement.loss,
            amounts.money,
            amounts.held,
            settlement.shares,
            settlement.rejections,
            settlement.nextWeights,
            settlement.weightsCommitment
        );
    }

    /// @dev Move the model on: its best loss, its base and the seats that would share a forfeit.
    function _countSettled(ModelRecord storage m, uint64 loss, uint256 accepted, bool paid) private {
        ModelHead storage head = m.head;
        head.finished = head.rounds;
        // Safe cast: at most 16 rounds of 16 seats.
        head.seatsTotal += uint16(accepted);
        if (paid) {
            head.paidRounds += 1;
            head.paidRound = head.rounds;
            m.progress.best = loss;
        }
    }
}
