// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModelErrors} from "../interfaces/IModelErrors.sol";
import {IModelTypes} from "../interfaces/IModelTypes.sol";
import {Digests} from "./Digests.sol";
import {RewardMath} from "./RewardMath.sol";

/// @title What terms a model may have
/// @notice The bounds of every term and of bounty and bond, checked once, when a model is created.
/// @dev Row floors and floors of a set's size are rules of the apps: the original demonstration has five
/// rows.
library TermBounds {
    /// @notice Largest bounty and largest bond, in wei; keeps every product of {RewardMath} below 2^256.
    uint256 internal constant MAX_AMOUNT = 2 ** 120 - 1;

    /// @notice Largest number of rounds of a model; bounds the loop of `settleClosing`.
    uint256 internal constant MAX_ROUNDS = 16;

    /// @notice Largest number of seats of a round; a round's shares fit 16 bytes.
    uint256 internal constant MAX_SEATS = 16;

    /// @notice Largest scoring or closing set (protocol §8).
    uint256 internal constant MAX_ROWS = 4096;

    /// @notice Largest shift: a quadratic form is below 2^136 (protocol §8).
    uint256 internal constant MAX_LOSS_SHIFT = 136;

    /// @notice How far ahead a deadline may lie.
    uint256 internal constant MAX_DEADLINE = 730 days;

    /// @notice Longest of any window.
    uint256 internal constant MAX_WINDOW = 365 days;

    /// @notice Shortest window; a transaction needs time to be mined.
    uint256 internal constant MIN_WINDOW = 10 minutes;

    /// @notice Shortest time to answer an audit: a lender's machine may be off for a weekend.
    uint256 internal constant MIN_ANSWER_WINDOW = 3 days;

    /// @notice Shortest window of either kind on a development chain, where a whole story is played in a
    /// minute.
    uint256 internal constant MIN_DEVELOPMENT_WINDOW = 1 seconds;

    /// @notice Check all terms of a model.
    /// @param terms Its terms.
    function check(IModelTypes.Terms memory terms) internal view {
        if (terms.currency != address(0)) revert IModelErrors.CurrencyNotSupported(terms.currency);
        _checkLosses(terms);
        _within("closingSharePpm", terms.closingSharePpm, 0, RewardMath.MILLION);
        _within("maxRounds", terms.maxRounds, 1, MAX_ROUNDS);
        _within("seats", terms.seats, 1, MAX_SEATS);
        _within("pilotSeats", terms.pilotSeats, 0, MAX_SEATS);
        _within("lossShift", terms.lossShift, 0, MAX_LOSS_SHIFT);
        _within("scoringRows", terms.scoringRows, 1, MAX_ROWS);
        bool scoresClosing = terms.closingSharePpm != 0;
        _within("closingRows", terms.closingRows, scoresClosing ? 1 : 0, scoresClosing ? MAX_ROWS : 0);
        _checkTimes(terms);
    }

    /// @notice Check the digests a model is published with.
    /// @param publication The digests.
    /// @param closingSharePpm Whether there is a closing set: not zero.
    function checkDigests(IModelTypes.Publication memory publication, uint256 closingSharePpm) internal pure {
        Digests.mustExist(publication.spec, "spec");
        Digests.mustExist(publication.baseWeights, "baseWeights");
        Digests.mustExist(publication.weightsCommitment, "weightsCommitment");
        Digests.mustExist(publication.scoringCommitment, "scoringCommitment");
        if (closingSharePpm != 0) {
            Digests.mustExist(publication.closingCommitment, "closingCommitment");
        } else if (publication.closingCommitment != 0) {
            revert IModelErrors.UnexpectedDigest("closingCommitment");
        }
    }

    /// @notice Check bounty and bond of a model, all top-ups included.
    /// @param bounty Wei.
    /// @param bond Wei.
    function checkAmounts(uint256 bounty, uint256 bond) internal pure {
        _within("bounty", bounty, 1, MAX_AMOUNT);
        _within("bond", bond, RewardMath.leastBond(bounty), MAX_AMOUNT);
    }

    /// @notice Check what is added to bounty and bond, each by itself, so that the sums cannot overflow.
    /// @param bounty Wei.
    /// @param bond Wei.
    function checkAdded(uint256 bounty, uint256 bond) internal pure {
        _within("bounty", bounty, 0, MAX_AMOUNT);
        _within("bond", bond, 0, MAX_AMOUNT);
    }

    /// @notice Check the deposits asked of data owners: nobody pays more than the whole bounty for a seat or
    /// an audit.
    /// @param terms The terms.
    /// @param bounty Wei.
    function checkDeposits(IModelTypes.Terms memory terms, uint256 bounty) internal pure {
        _within("stake", terms.stake, 0, bounty);
        _within("auditFee", terms.auditFee, 0, bounty);
    }

    function _checkLosses(IModelTypes.Terms memory terms) private pure {
        _within("initialLoss", terms.initialLoss, 1, type(uint64).max);
        _within("targetLoss", terms.targetLoss, 0, terms.initialLoss - 1);
        uint256 way = terms.initialLoss - terms.targetLoss;
        _within("minGain", terms.minGain, 0, way);
        if (terms.lossSteps != 0 && way % terms.lossSteps != 0) {
            revert IModelErrors.LossOffGrid(way, terms.lossSteps);
        }
    }

    function _checkTimes(IModelTypes.Terms memory terms) private view {
        uint256 least = MIN_WINDOW;
        uint256 leastAnswer = MIN_ANSWER_WINDOW;
        if (_isDevelopmentChain()) least = leastAnswer = MIN_DEVELOPMENT_WINDOW;
        _within("deadline", terms.deadline, block.timestamp, block.timestamp + MAX_DEADLINE);
        _within("collectWindow", terms.collectWindow, least, MAX_WINDOW);
        _within("deliverWindow", terms.deliverWindow, least, MAX_WINDOW);
        _within("settleWindow", terms.settleWindow, least, MAX_WINDOW);
        _within("closingWindow", terms.closingWindow, least, MAX_WINDOW);
        _within("auditDemandWindow", terms.auditDemandWindow, least, MAX_WINDOW);
        _within("auditAnswerWindow", terms.auditAnswerWindow, leastAnswer, MAX_WINDOW);
    }

    /// @dev The default chain ids of Ganache, of Anvil and Hardhat, and of eth-tester.
    function _isDevelopmentChain() private view returns (bool) {
        return block.chainid == 1337 || block.chainid == 31_337 || block.chainid == 131_277_322_940_537;
    }

    /// @dev The name is a short literal in one word; it becomes a string only to be reverted with.
    function _within(bytes32 term, uint256 got, uint256 least, uint256 most) private pure {
        if (got < least || got > most) {
            revert IModelErrors.TermOutOfBounds(Digests.toString(term), got, least, most);
        }
    }
}
