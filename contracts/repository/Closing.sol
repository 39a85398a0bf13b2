// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModelRepository} from "../interfaces/IModelRepository.sol";
import {RewardMath} from "../libraries/RewardMath.sol";
import {Settling} from "./Settling.sol";

/// @title From the last round to the last wei
/// @notice The closing score, the claims of the seats and the end of a model.
abstract contract Closing is Settling {
    /// @inheritdoc IModelRepository
    function settleClosing(uint256 modelId, uint64[] calldata losses) external override {
        // Check
        ModelRecord storage m = _closing(modelId);
        if (msg.sender != m.head.lender) revert NotLender(modelId, msg.sender);
        if (m.head.closingSettled) revert ClosingAlreadySettled(modelId);
        uint256 closingBy = m.progress.closingBy;
        if (block.timestamp > closingBy) revert ClosingOver(modelId, closingBy);
        uint256 rounds = m.head.rounds;
        if (losses.length != rounds + 1) revert WrongLength(losses.length, rounds + 1);

        // Effect
        uint256 held = m.funds.held;
        uint256 paid = 0;
        uint256 lossBefore = m.terms.initialLoss;
        for (uint256 number = 1; number <= rounds; ++number) {
            RoundRecord storage r = m.rounds[number];
            uint256 lossAfter = r.head.lossAfter;
            if (r.money.money == 0) {
                if (losses[number] != losses[number - 1]) {
                    revert ClosingLossMustStay(number, losses[number], losses[number - 1]);
                }
                continue;
            }
            uint256 due = RewardMath.heldPaid({
                held: r.money.heldDue,
                closingBefore: losses[number - 1],
                closingAfter: losses[number],
                closingRows: m.terms.closingRows,
                scoringGain: lossBefore - lossAfter,
                scoringRows: m.terms.scoringRows
            });
            // Safe cast: not above what was held, below 2^120.
            r.money.heldDue = uint120(due);
            paid += due;
            lossBefore = lossAfter;
        }
        m.head.closingSettled = true;
        m.progress.reclaimFrom = uint40(block.timestamp + m.terms.auditDemandWindow + 1);
        // Safe casts: both are parts of the bounty.
        m.funds.left += uint128(held - paid);
        m.funds.held = uint128(paid);
        emit ClosingSettled(modelId, losses, paid, held - paid);
    }

    /// @inheritdoc IModelRepository
    function reclaim(uint256 modelId) external override {
        // Check
        ModelRecord storage m = _closing(modelId);
        uint256 from = m.progress.reclaimFrom;
        if (block.timestamp < from) revert TooEarly(block.timestamp, from);

        // Effect
        _endModel(modelId, m);
    }

    /// @inheritdoc IModelRepository
    function claim(uint256 modelId, uint256 number, uint256 index)
        external
        override
        returns (uint256 stake, uint256 reward)
    {
        // Check
        ModelRecord storage m = _existing(modelId);
        Due memory due = _dueOf(modelId, m, number, index);
        stake = due.stake;
        reward = due.firstHalf + due.heldHalf + due.compensation;
        if (stake + reward == 0) revert NothingToClaim(modelId, number, index);

        // Effect
        RoundHead storage head = m.rounds[number].head;
        // Safe cast: a seat's index is below 16.
        uint16 bit = uint16(1 << index);
        head.claimed |= bit;
        if (due.heldHalf + due.compensation != 0) head.heldClaimed |= bit;
        // Safe cast: a part of what is held.
        if (due.heldHalf != 0) m.funds.held -= uint128(due.heldHalf);
        _credit(due.owner, stake + reward);
        emit Claimed(modelId, number, due.owner, index, stake, reward);
    }
}
