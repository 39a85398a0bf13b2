// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RewardMath} from "../libraries/RewardMath.sol";
import {Credits} from "./Credits.sol";

/// @title Where models live
/// @notice Packed records of models, rounds and seats, and what is derived from them and block time.
/// @dev Anything that no rule reads is in the events only.
abstract contract ModelStorage is Credits {
    /// @dev How a round ended. `Running` is the zero of a round just opened; one never opened has no
    /// `openedAt`.
    enum Outcome {
        Running,
        Settled,
        Failed
    }

    /// @dev One slot. `finished` counts the rounds settled or failed: all of `rounds`, or all but the running one.
    /// `paidRound` is the last round with money: its base is the current one.
    struct ModelHead {
        address lender;
        Status status;
        uint8 rounds;
        uint8 finished;
        uint8 paidRounds;
        uint8 paidRound;
        uint16 seatsTotal;
        bool closingSettled;
        bool failed;
    }

    /// @dev One slot.
    struct Progress {
        uint64 best;
        uint40 closingBy;
        uint40 reclaimFrom;
    }

    /// @dev One slot.
    struct Funds {
        uint128 left;
        uint128 held;
    }

    /// @dev One slot: what was put in. The bond goes to zero when it is returned or forfeited.
    struct Escrow {
        uint128 bounty;
        uint128 bond;
    }

    /// @dev Two slots: base weights as encrypted and as scored.
    struct Base {
        bytes32 weights;
        bytes32 commitment;
    }

    /// @dev One slot. `paidRound` is the round whose base this one builds on. Bit i of the last two is seat
    /// i.
    struct RoundHead {
        uint40 openedAt;
        uint40 closesBy;
        uint64 lossAfter;
        uint8 seats;
        uint8 paidRound;
        Outcome outcome;
        uint16 claimed;
        uint16 heldClaimed;
    }

    /// @dev One slot. `heldDue` is all that was held until a closing score says less.
    struct RoundMoney {
        uint120 money;
        uint120 heldDue;
    }

    /// @dev One slot: seat i is in byte i from the left.
    struct Split {
        bytes16 shares;
        bytes16 rejections;
    }

    /// @dev Two slots.
    struct SeatRecord {
        address owner;
        uint96 stake;
        bytes32 commitment;
    }

    struct RoundRecord {
        RoundHead head;
        RoundMoney money;
        Split split;
        mapping(uint256 index => SeatRecord) seats;
    }

    /// @dev `bases[0]` was published with the model, `bases[n]` came of round n if that had money.
    /// `compensation` is the wei due to each of `seatsTotal` seats of a failed model.
    struct ModelRecord {
        ModelHead head;
        Progress progress;
        Funds funds;
        Escrow escrow;
        Terms terms;
        bytes32 spec;
        bytes32 scoringCommitment;
        bytes32 closingCommitment;
        uint256 compensation;
        mapping(uint256 number => Base) bases;
        mapping(uint256 number => RoundRecord) rounds;
    }

    /// @dev What a seat can be credited with now.
    struct Due {
        address owner;
        uint256 stake;
        uint256 firstHalf;
        uint256 heldHalf;
        uint256 compensation;
    }

    /// @dev By number, from one.
    mapping(uint256 modelId => ModelRecord) private _models;

    /// @dev Models created so far.
    uint256 private _modelCount;

    /// @dev By keccak256(model, data owner, tag root).
    mapping(bytes32 key => bool) private _tagRootUsed;

    /// @dev Number a new model.
    function _newModel() internal returns (uint256 modelId, ModelRecord storage m) {
        modelId = ++_modelCount;
        m = _models[modelId];
    }

    /// @dev Note that a data owner has contributed these rows; refuse the second time. Only the same root
    /// *from the same data owner* is refused, or a rival could block somebody by copying a root from the
    /// mempool.
    function _useTagRoot(uint256 modelId, address owner, bytes32 tagRoot) internal {
        bytes32 key = keccak256(abi.encode(modelId, owner, tagRoot));
        if (_tagRootUsed[key]) revert RowsAlreadyContributed(modelId, owner, tagRoot);
        _tagRootUsed[key] = true;
    }

    /// @dev How many models there are.
    function _countModels() internal view returns (uint256) {
        return _modelCount;
    }

    /// @dev A model that exists.
    function _existing(uint256 modelId) internal view returns (ModelRecord storage m) {
        m = _models[modelId];
        if (m.head.status == Status.None) revert UnknownModel(modelId);
    }

    /// @dev A model that is open.
    function _open(uint256 modelId) internal view returns (ModelRecord storage m) {
        m = _models[modelId];
        Status status = m.head.status;
        if (status == Status.None) revert UnknownModel(modelId);
        if (status != Status.Open) revert ModelNotOpen(modelId, status);
    }

    /// @dev A model that is closing.
    function _closing(uint256 modelId) internal view returns (ModelRecord storage m) {
        m = _existing(modelId);
        if (m.head.status != Status.Closing) revert ModelNotClosing(modelId, m.head.status);
    }

    /// @dev Whether the last round opened is neither settled nor failed.
    function _isRunning(ModelRecord storage m) internal view returns (bool) {
        return m.head.rounds != m.head.finished;
    }

    /// @dev Seats a round has.
    function _seatsOf(Terms storage rules, uint256 number) internal view returns (uint256) {
        uint256 pilot = rules.pilotSeats;
        return number == 1 && pilot != 0 ? pilot : rules.seats;
    }

    /// @dev Where a round stands. All limits are inclusive, and a round that its seats closed is closed in
    /// the very second of the last one.
    function _stateOf(Terms storage rules, uint256 number, RoundHead storage head)
        internal
        view
        returns (RoundState)
    {
        if (head.openedAt == 0) return RoundState.None;
        if (head.outcome != Outcome.Running) {
            return head.outcome == Outcome.Settled ? RoundState.Settled : RoundState.Failed;
        }
        bool closedBySeats = rules.closeWhenFull && head.seats == _seatsOf(rules, number);
        if (!closedBySeats && block.timestamp <= head.closesBy) return RoundState.Collecting;
        uint256 deliverBy = _deliverBy(rules, head);
        if (block.timestamp <= deliverBy) return RoundState.Delivering;
        return block.timestamp <= deliverBy + rules.settleWindow
            ? RoundState.AwaitingSettlement
            : RoundState.Overdue;
    }

    /// @dev Last moment for a round's payloads.
    function _deliverBy(Terms storage rules, RoundHead storage head) internal view returns (uint256) {
        return uint256(head.closesBy) + rules.deliverWindow;
    }

    /// @dev Whether the held halves are due: the closing score was given, or its time is over.
    function _isHeldDue(ModelRecord storage m) internal view returns (bool) {
        if (m.head.closingSettled) return true;
        uint256 closingBy = m.progress.closingBy;
        return closingBy != 0 && block.timestamp > closingBy;
    }

    /// @dev What a seat can be credited with now; reverts if there is no such seat.
    function _dueOf(uint256 modelId, ModelRecord storage m, uint256 number, uint256 index)
        internal
        view
        returns (Due memory due)
    {
        RoundRecord storage r = m.rounds[number];
        RoundHead storage head = r.head;
        if (index >= head.seats) revert UnknownSeat(modelId, number, index);
        due.owner = r.seats[index].owner;
        if (head.outcome == Outcome.Running) return due;

        (uint256 from, uint256 to) = RewardMath.span(r.split.shares, index);
        bool rejected = r.split.rejections[index] != 0;
        uint256 bit = 1 << index;
        if (head.claimed & bit == 0) {
            due.stake = r.seats[index].stake;
            if (rejected) due.stake -= RewardMath.stakePenalty(due.stake);
            if (from != to) {
                uint256 money = r.money.money;
                due.firstHalf = RewardMath.seatPart(
                    money - RewardMath.heldPart(money, m.terms.closingSharePpm), from, to
                );
            }
        }
        if (head.heldClaimed & bit == 0) {
            if (m.head.failed) {
                if (!rejected) due.compensation = m.compensation;
            } else if (from != to && _isHeldDue(m)) {
                due.heldHalf = RewardMath.seatPart(r.money.heldDue, from, to);
            }
        }
    }
}
