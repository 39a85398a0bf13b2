// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModelRepository} from "./interfaces/IModelRepository.sol";
import {RewardMath} from "./libraries/RewardMath.sol";
import {Closing} from "./repository/Closing.sol";

/// @title Bounties for encrypted credit models
/// @notice See {IModelRepository}. No owner, no upgrade, no pause; ether sent plainly is refused.
/// @dev The calls live in the contracts of `repository/`, one for each stage of a model; here are the views,
/// which put packed records together for readers and cost the same however many models or rounds there are.
contract ModelRepository is Closing {
    /// @inheritdoc IModelRepository
    function modelCount() external view override returns (uint256 count) {
        return _countModels();
    }

    /// @inheritdoc IModelRepository
    function model(uint256 modelId) external view override returns (Model memory view_) {
        ModelRecord storage m = _existing(modelId);
        Progress memory progress = m.progress;
        Base memory base = m.bases[m.head.paidRound];
        view_.lender = m.head.lender;
        view_.status = m.head.status;
        view_.bounty = m.escrow.bounty;
        view_.bond = m.escrow.bond;
        view_.left = m.funds.left;
        view_.held = m.funds.held;
        view_.best = progress.best;
        view_.rounds = m.head.rounds;
        view_.paidRounds = m.head.paidRounds;
        view_.seatsTotal = m.head.seatsTotal;
        view_.closingBy = progress.closingBy;
        view_.reclaimFrom = progress.reclaimFrom;
        view_.closingSettled = m.head.closingSettled;
        view_.failed = m.head.failed;
        view_.spec = m.spec;
        view_.baseWeights = base.weights;
        view_.weightsCommitment = base.commitment;
        view_.scoringCommitment = m.scoringCommitment;
        view_.closingCommitment = m.closingCommitment;
    }

    /// @inheritdoc IModelRepository
    function terms(uint256 modelId) external view override returns (Terms memory rules) {
        return _existing(modelId).terms;
    }

    /// @inheritdoc IModelRepository
    function round(uint256 modelId, uint256 number) external view override returns (Round memory view_) {
        ModelRecord storage m = _existing(modelId);
        RoundRecord storage r = m.rounds[number];
        RoundHead storage head = r.head;
        if (head.openedAt == 0) return view_;
        Base memory base = m.bases[head.paidRound];
        view_.state = _stateOf(m.terms, number, head);
        view_.seats = head.seats;
        view_.openedAt = head.openedAt;
        view_.closesBy = head.closesBy;
        // Safe casts: a time of forty bits and windows of at most a year.
        view_.deliverBy = uint40(_deliverBy(m.terms, head));
        view_.settleBy = view_.deliverBy + m.terms.settleWindow;
        view_.lossBefore = head.paidRound == 0 ? m.terms.initialLoss : m.rounds[head.paidRound].head.lossAfter;
        view_.lossAfter = head.lossAfter;
        view_.money = r.money.money;
        view_.held = uint128(RewardMath.heldPart(view_.money, m.terms.closingSharePpm));
        if (_isHeldDue(m)) view_.heldPaid = r.money.heldDue;
        view_.shares = r.split.shares;
        view_.rejections = r.split.rejections;
        view_.baseWeights = base.weights;
        view_.weightsCommitment = base.commitment;
    }

    /// @inheritdoc IModelRepository
    function seat(uint256 modelId, uint256 number, uint256 index)
        external
        view
        override
        returns (Seat memory view_)
    {
        ModelRecord storage m = _existing(modelId);
        RoundHead storage head = m.rounds[number].head;
        if (index >= head.seats) revert UnknownSeat(modelId, number, index);
        SeatRecord storage s = m.rounds[number].seats[index];
        return Seat({
            owner: s.owner,
            stake: s.stake,
            commitment: s.commitment,
            claimed: head.claimed >> index & 1 == 1,
            heldClaimed: head.heldClaimed >> index & 1 == 1
        });
    }

    /// @inheritdoc IModelRepository
    function claimable(uint256 modelId, uint256 number, uint256 index)
        external
        view
        override
        returns (uint256 stake, uint256 reward)
    {
        Due memory due = _dueOf(modelId, _existing(modelId), number, index);
        return (due.stake, due.firstHalf + due.heldHalf + due.compensation);
    }
}
