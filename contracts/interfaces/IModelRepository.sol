// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModelErrors} from "./IModelErrors.sol";
import {IModelEvents} from "./IModelEvents.sol";

/// @title Bounties for encrypted credit models
/// @notice A lender escrows a bounty and a bond for a model. Data owners commit encrypted updates round by
/// round, the lender settles each round with the loss of the next weights, and the contract shares the
/// round's money by the shares of the seats: half at once, half when the model is scored a last time on a
/// closing set that no round has touched.
/// @dev Units: money in wei, times in unix seconds, losses in the unit fixed by the model's spec (a loss
/// *sum* over the rows of a set), shares in 64ths. A time limit named `…By` is inclusive: the act is allowed
/// while `block.timestamp <= …By`. Ids of models and numbers of rounds start at one; seats are counted from
/// zero.
interface IModelRepository is IModelEvents, IModelErrors {
    // ------------------------------------------------------------------------------------------------------ Calls

    /// @notice Create a model, escrowing bounty and bond: `msg.value == bounty + bond`.
    /// @param bounty Wei for data owners.
    /// @param bond Wei forfeited if the lender is silent or lies; at least half the bounty.
    /// @param publication Digests of spec, first weights and sets.
    /// @param modelTerms The rules, fixed for good.
    /// @return modelId Its number.
    function createModel(
        uint256 bounty,
        uint256 bond,
        Publication memory publication,
        Terms memory modelTerms
    ) external payable returns (uint256 modelId);

    /// @notice Add to bounty and bond of an open model: `msg.value == bounty + bond`; the bond stays at least
    /// half. Lender only.
    /// @param modelId The model.
    /// @param bounty Wei to add to the bounty.
    /// @param bond Wei to add to the bond.
    function topUp(uint256 modelId, uint256 bounty, uint256 bond) external payable;

    /// @notice Take a seat with the stake as `msg.value`. The first contribution opens the round.
    /// @param modelId The model.
    /// @param contribution What is committed to.
    /// @return index Its place in the round.
    function contribute(uint256 modelId, Contribution calldata contribution)
        external
        payable
        returns (uint256 index);

    /// @notice Settle the running round. Allowed once it has closed, until `settleBy`; until `deliverBy` has
    /// passed no seat can be rejected as not delivered. Lender only.
    /// @param modelId The model.
    /// @param settlement Loss, shares, rejections and the next base.
    function settle(uint256 modelId, Settlement calldata settlement) external;

    /// @notice Fail a round that was not settled in time: stakes go back, bond and all bounty not yet
    /// credited are half burned and half shared among the seats. Anyone, after `settleBy`.
    /// @param modelId The model.
    function failRound(uint256 modelId) external;

    /// @notice End training. The lender at any time while no round is running, anyone after the deadline. A
    /// model without any round ends at once and its money is the lender's again.
    /// @param modelId The model.
    function end(uint256 modelId) external;

    /// @notice Give the closing-set losses of the first base and of the base after every settled round, in
    /// order. Lender only, until `closingBy`; afterwards the held half is paid in full.
    /// @param modelId The model.
    /// @param losses Loss sums on the closing set, one more than there are rounds.
    function settleClosing(uint256 modelId, uint64[] calldata losses) external;

    /// @notice End a closing model after its audit window: what is left goes to the lender's credit. Anyone,
    /// from `reclaimFrom` on.
    /// @param modelId The model.
    function reclaim(uint256 modelId) external;

    /// @notice Credit a seat's owner with what is due: stake and first half, the held half, a share of a
    /// forfeit. Anyone; claims never expire.
    /// @param modelId The model.
    /// @param number The round.
    /// @param index The seat's place in it.
    /// @return stake Wei of stake credited now.
    /// @return reward Wei of reward credited now.
    function claim(uint256 modelId, uint256 number, uint256 index)
        external
        returns (uint256 stake, uint256 reward);

    /// @notice Pay out the caller's credit in ether.
    /// @return amount Wei paid.
    function withdraw() external returns (uint256 amount);

    // ------------------------------------------------------------------------------------------------------ Views

    /// @notice Models created so far; ids run from one to this.
    /// @return count How many.
    function modelCount() external view returns (uint256 count);

    /// @notice A model as it stands.
    /// @param modelId The model.
    /// @return view_ What is known of it.
    function model(uint256 modelId) external view returns (Model memory view_);

    /// @notice The rules of a model.
    /// @param modelId The model.
    /// @return rules As fixed at creation.
    function terms(uint256 modelId) external view returns (Terms memory rules);

    /// @notice A round as it stands; all zero for a round not opened yet.
    /// @param modelId The model.
    /// @param number The round.
    /// @return view_ What is known of it.
    function round(uint256 modelId, uint256 number) external view returns (Round memory view_);

    /// @notice A seat as it stands.
    /// @param modelId The model.
    /// @param number The round.
    /// @param index The seat's place in it.
    /// @return view_ What is known of it.
    function seat(uint256 modelId, uint256 number, uint256 index) external view returns (Seat memory view_);

    /// @notice What `claim` would credit now.
    /// @param modelId The model.
    /// @param number The round.
    /// @param index The seat's place in it.
    /// @return stake Wei of stake.
    /// @return reward Wei of reward.
    function claimable(uint256 modelId, uint256 number, uint256 index)
        external
        view
        returns (uint256 stake, uint256 reward);

    /// @notice Wei an account can withdraw.
    /// @param account Whose credit.
    /// @return amount Wei.
    function credit(address account) external view returns (uint256 amount);

    /// @notice Wei burned so far: it stays in the contract for ever and belongs to nobody.
    /// @return amount Wei.
    function burned() external view returns (uint256 amount);
}
