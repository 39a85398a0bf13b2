// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title The words of the model repository
/// @notice Enumerations and structs of {IModelRepository}.
/// @dev Units: money in wei, times in unix seconds, windows in seconds, losses in the unit fixed by the
/// model's spec (a loss *sum* over the rows of a set), shares in 64ths. The structs a reader gets are views:
/// storage is packed.
interface IModelTypes {
    /// @notice Where a model stands. It only ever moves to the right.
    enum Status {
        None,
        Open,
        Closing,
        Ended
    }

    /// @notice Where a round stands, derived from time and seats. It only ever moves to the right.
    enum RoundState {
        None,
        Collecting,
        Delivering,
        AwaitingSettlement,
        Overdue,
        Settled,
        Failed
    }

    /// @notice Why a seat was rejected; `Accepted` means it was not.
    enum Rejection {
        Accepted,
        NotDelivered,
        Unopenable,
        SameRows,
        RowFloor
    }

    /// @notice The loss a model is settled on; all are quadratic in the weights.
    enum Metric {
        Brier,
        BalancedBrier,
        SquaredError
    }

    /// @notice The rules of one model, fixed when it is created. Each has a bound, see {TermBounds}.
    /// @param currency Zero for ether.
    /// @param stake What a contribution deposits, in wei; given back unless rejected, then less a tenth.
    /// @param auditFee The price of demanding the closing audit, in wei.
    /// @param initialLoss Loss sum of the first base weights on the scoring set.
    /// @param targetLoss Loss sum at which the whole bounty has been paid.
    /// @param minGain Smallest fall of the loss sum that is paid, unless it reaches the target.
    /// @param lossSteps Reported losses lie on a grid of so many steps between initial and target; zero means
    /// exact.
    /// @param closingSharePpm Part of a round's money held for the closing score, in millionths; zero: no
    /// closing set.
    /// @param maxRounds At most 16.
    /// @param seats Contributions a round can take, 1 to 16.
    /// @param pilotSeats The same for the first round, at most 16; zero: as the others.
    /// @param closeWhenFull Whether a round closes as soon as its seats are taken.
    /// @param deadline Last moment at which a round can be opened.
    /// @param collectWindow Seconds a round collects, from its first contribution.
    /// @param deliverWindow Seconds data owners have to publish payloads after a round has closed.
    /// @param settleWindow Seconds the lender has to settle after that.
    /// @param closingWindow Seconds the lender has to give the closing score after training has ended.
    /// @param auditDemandWindow Seconds in which an audit can be demanded after the closing score.
    /// @param auditAnswerWindow Seconds the lender has to answer it.
    /// @param metric What the loss is.
    /// @param lossShift Bits by which the quadratic form is shifted right to give a loss sum.
    /// @param scoringRows Rows of the scoring set, at most 4,096.
    /// @param closingRows Rows of the closing set, at most 4,096; zero exactly if there is none.
    struct Terms {
        address currency;
        uint96 stake;
        uint96 auditFee;
        uint64 initialLoss;
        uint64 targetLoss;
        uint64 minGain;
        uint16 lossSteps;
        uint32 closingSharePpm;
        uint8 maxRounds;
        uint8 seats;
        uint8 pilotSeats;
        bool closeWhenFull;
        uint40 deadline;
        uint32 collectWindow;
        uint32 deliverWindow;
        uint32 settleWindow;
        uint32 closingWindow;
        uint32 auditDemandWindow;
        uint32 auditAnswerWindow;
        Metric metric;
        uint8 lossShift;
        uint16 scoringRows;
        uint16 closingRows;
    }

    /// @notice What a lender publishes with a model.
    /// @param spec SHA-256 of the model spec in the content store.
    /// @param baseWeights SHA-256 of the document with the first encrypted weights.
    /// @param weightsCommitment Salted hash of the same weights as they are scored, see {QuadraticLoss}.
    /// @param scoringCommitment Salted hash of the scoring set's matrix, its rows and metric.
    /// @param closingCommitment The same of the closing set; zero exactly if there is none.
    struct Publication {
        bytes32 spec;
        bytes32 baseWeights;
        bytes32 weightsCommitment;
        bytes32 scoringCommitment;
        bytes32 closingCommitment;
    }

    /// @notice What a data owner commits to. Nothing but digests: the payload is published after the round
    /// has closed.
    /// @param round The round the data owner expects to be in.
    /// @param baseWeights The base the update was made on.
    /// @param payload SHA-256 of the sealed payload.
    /// @param tagRoot Root of the tags of the data owner's rows.
    /// @param updateDigest SHA-256 of the affine update (M, c).
    /// @param rows Rows the update was made from.
    /// @param nonce Thirty-two random bytes, bound into the sealed payload.
    struct Contribution {
        uint8 round;
        bytes32 baseWeights;
        bytes32 payload;
        bytes32 tagRoot;
        bytes32 updateDigest;
        uint32 rows;
        bytes32 nonce;
    }

    /// @notice A lender's settlement of a round.
    /// @param round The round it was made for, so that a settlement sent twice cannot settle the next one.
    /// @param loss Loss sum of the combined weights on the scoring set, on the grid of `lossSteps`.
    /// @param shares One share per seat in 64ths. They sum to 64 when the round has money and are zero when
    /// it has none.
    /// @param rejections One code per seat; a rejected seat has no share.
    /// @param nextWeights The document with the next encrypted weights; the base when the round has no money.
    /// @param weightsCommitment Salted hash of the next scoring weights; the base's when the round has no
    /// money.
    struct Settlement {
        uint8 round;
        uint64 loss;
        uint8[] shares;
        Rejection[] rejections;
        bytes32 nextWeights;
        bytes32 weightsCommitment;
    }

    /// @notice A model as it stands.
    /// @param lender Who created it.
    /// @param status Where it stands.
    /// @param bounty All the bounty ever put in, in wei.
    /// @param bond Bond in escrow now, in wei; zero once returned or forfeited.
    /// @param left Bounty given to no round, in wei; after the closing score also what that returned.
    /// @param held Money of settled rounds not yet credited because it waits, or waited, for the closing
    /// score, in wei.
    /// @param best Loss sum of the current base weights.
    /// @param rounds Rounds opened so far.
    /// @param paidRounds Settled rounds whose money was not zero.
    /// @param seatsTotal Accepted seats of the settled rounds and all seats of a failed one: they share a
    /// forfeit.
    /// @param closingBy Last moment for `settleClosing`; zero while open and if there is nothing to score.
    /// @param reclaimFrom First moment for `reclaim` unless an audit is pending, zero while open; while the
    /// closing score is awaited, the moment that holds if it is not given.
    /// @param closingSettled Whether the closing score was given.
    /// @param failed Whether a round was not settled in time.
    /// @param condemned Whether an audit found a false loss or no answer.
    /// @param auditor Who demanded the audit; zero if nobody did.
    /// @param answerBy Last moment for the lender's answer to an audit; zero if none is pending.
    /// @param spec As published.
    /// @param baseWeights The document with the current encrypted weights.
    /// @param weightsCommitment Salted hash of the current scoring weights.
    /// @param scoringCommitment As published.
    /// @param closingCommitment As published.
    struct Model {
        address lender;
        Status status;
        uint128 bounty;
        uint128 bond;
        uint128 left;
        uint128 held;
        uint64 best;
        uint8 rounds;
        uint8 paidRounds;
        uint16 seatsTotal;
        uint40 closingBy;
        uint40 reclaimFrom;
        bool closingSettled;
        bool failed;
        bool condemned;
        address auditor;
        uint40 answerBy;
        bytes32 spec;
        bytes32 baseWeights;
        bytes32 weightsCommitment;
        bytes32 scoringCommitment;
        bytes32 closingCommitment;
    }

    /// @notice A round as it stands.
    /// @param state Where it stands.
    /// @param seats Seats taken.
    /// @param openedAt When its first contribution came.
    /// @param closesBy Last moment at which a contribution is taken; the moment of the last seat if it closed
    /// by that.
    /// @param deliverBy Last moment for payloads; until it has passed no seat can be rejected as not
    /// delivered.
    /// @param settleBy Last moment for settlement.
    /// @param lossBefore Loss sum of its base.
    /// @param lossAfter Loss sum of the base after it: the reported loss if it had money, else `lossBefore`;
    /// zero until it is settled.
    /// @param money Wei given to the round.
    /// @param held The part of `money` that waits for the closing score.
    /// @param heldPaid What came of `held`; zero until that is known.
    /// @param shares Shares of the seats in 64ths, seat i in byte i from the left.
    /// @param rejections Codes of the seats, likewise.
    /// @param baseWeights The base its updates were made on.
    /// @param weightsCommitment Salted hash of the scoring weights of that base.
    struct Round {
        RoundState state;
        uint8 seats;
        uint40 openedAt;
        uint40 closesBy;
        uint40 deliverBy;
        uint40 settleBy;
        uint64 lossBefore;
        uint64 lossAfter;
        uint128 money;
        uint128 held;
        uint128 heldPaid;
        bytes16 shares;
        bytes16 rejections;
        bytes32 baseWeights;
        bytes32 weightsCommitment;
    }

    /// @notice A seat as it stands.
    /// @param owner Who contributed and is credited.
    /// @param stake Wei deposited.
    /// @param commitment keccak256(abi.encode(Contribution)).
    /// @param claimed Whether stake and first half have been credited.
    /// @param heldClaimed Whether the held half, or a share of a forfeit, has been credited.
    struct Seat {
        address owner;
        uint96 stake;
        bytes32 commitment;
        bool claimed;
        bool heldClaimed;
    }
}
