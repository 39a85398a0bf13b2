// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModelTypes} from "./IModelTypes.sol";

/// @title What the model repository records
/// @notice Every change of state has an event; together they rebuild all of it.
interface IModelEvents is IModelTypes {
    /// @notice A lender has created a model.
    /// @param modelId Its number.
    /// @param lender Who did.
    /// @param spec SHA-256 of the model spec.
    /// @param bounty Wei for data owners.
    /// @param bond Wei forfeited if the lender is silent or lies.
    /// @param publication All digests.
    /// @param terms All rules.
    event ModelCreated(
        uint256 indexed modelId,
        address indexed lender,
        bytes32 indexed spec,
        uint256 bounty,
        uint256 bond,
        Publication publication,
        Terms terms
    );

    /// @notice A lender has added money to a model.
    /// @param modelId The model.
    /// @param lender Who did.
    /// @param bounty Wei added to the bounty.
    /// @param bond Wei added to the bond.
    event ToppedUp(uint256 indexed modelId, address indexed lender, uint256 bounty, uint256 bond);

    /// @notice A first contribution has opened a round.
    /// @param modelId The model.
    /// @param round The round.
    /// @param baseWeights The base its updates are made on.
    /// @param closesBy Last moment at which it takes contributions.
    event RoundOpened(uint256 indexed modelId, uint256 indexed round, bytes32 baseWeights, uint256 closesBy);

    /// @notice A data owner has taken a seat.
    /// @param modelId The model.
    /// @param round The round.
    /// @param owner The data owner.
    /// @param seat Its place in the round.
    /// @param stake Wei deposited.
    /// @param contribution What was committed to.
    event Contributed(
        uint256 indexed modelId,
        uint256 indexed round,
        address indexed owner,
        uint256 seat,
        uint256 stake,
        Contribution contribution
    );

    /// @notice A round has closed because its seats were full. A round that closes by time has no event.
    /// @param modelId The model.
    /// @param round The round.
    /// @param deliverBy Last moment for payloads.
    /// @param settleBy Last moment for settlement.
    event RoundClosed(uint256 indexed modelId, uint256 indexed round, uint256 deliverBy, uint256 settleBy);

    /// @notice A lender has settled a round.
    /// @param modelId The model.
    /// @param round The round.
    /// @param lossBefore Loss sum of its base.
    /// @param loss Loss sum reported; the base's from now on exactly if `money` is not zero.
    /// @param money Wei given to the round.
    /// @param held The part of it that waits for the closing score.
    /// @param shares Shares of the seats in 64ths.
    /// @param rejections Codes of the seats.
    /// @param nextWeights The document with the next encrypted weights.
    /// @param weightsCommitment Salted hash of the next scoring weights.
    event RoundSettled(
        uint256 indexed modelId,
        uint256 indexed round,
        uint64 lossBefore,
        uint64 loss,
        uint256 money,
        uint256 held,
        uint8[] shares,
        Rejection[] rejections,
        bytes32 nextWeights,
        bytes32 weightsCommitment
    );

    /// @notice A round was not settled in time.
    /// @param modelId The model.
    /// @param round The round.
    /// @param compensation Wei due to *each* of the model's `seatsTotal` seats.
    /// @param burned Wei burned.
    event RoundFailed(uint256 indexed modelId, uint256 indexed round, uint256 compensation, uint256 burned);

    /// @notice Training has ended; the model is closing.
    /// @param modelId The model.
    /// @param loss Loss sum of its last base.
    /// @param closingBy Last moment for the closing score; zero if there is nothing to score.
    event TrainingEnded(uint256 indexed modelId, uint64 loss, uint256 closingBy);

    /// @notice A lender has given the closing score.
    /// @param modelId The model.
    /// @param losses Closing-set loss sums of the first base and of the base after every round.
    /// @param heldPaid Wei of the held halves that goes to the seats.
    /// @param returned Wei of them that becomes reclaimable.
    event ClosingSettled(uint256 indexed modelId, uint64[] losses, uint256 heldPaid, uint256 returned);

    /// @notice A seat's owner was credited.
    /// @param modelId The model.
    /// @param round The round.
    /// @param owner The data owner.
    /// @param seat Its place in the round.
    /// @param stake Wei of stake credited.
    /// @param reward Wei of reward, or of a forfeit, credited.
    event Claimed(
        uint256 indexed modelId,
        uint256 indexed round,
        address indexed owner,
        uint256 seat,
        uint256 stake,
        uint256 reward
    );

    /// @notice A model has ended.
    /// @param modelId The model.
    /// @param lender Who was credited.
    /// @param returned Wei of bounty and bond credited.
    event Ended(uint256 indexed modelId, address indexed lender, uint256 returned);

    /// @notice An account has taken out its credit.
    /// @param account Who did.
    /// @param currency Zero for ether.
    /// @param amount How much.
    event Withdrawn(address indexed account, address indexed currency, uint256 amount);
}
