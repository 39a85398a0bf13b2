// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModelTypes} from "./IModelTypes.sol";

/// @title Why the model repository refuses
/// @notice One error for each condition, with what was got and what was expected.
interface IModelErrors is IModelTypes {
    /// @notice There is no such model.
    /// @param modelId What was asked for.
    error UnknownModel(uint256 modelId);

    /// @notice There is no such seat.
    /// @param modelId The model.
    /// @param round The round asked for.
    /// @param seat The place asked for.
    error UnknownSeat(uint256 modelId, uint256 round, uint256 seat);

    /// @notice Only the model's lender may do this, or not yet anyone else.
    /// @param modelId The model.
    /// @param caller Who tried.
    error NotLender(uint256 modelId, address caller);

    /// @notice A term or an amount lies outside its bounds.
    /// @param term Its name.
    /// @param got What was given.
    /// @param least Smallest value allowed.
    /// @param most Largest value allowed.
    error TermOutOfBounds(string term, uint256 got, uint256 least, uint256 most);

    /// @notice Only ether is taken.
    /// @param currency The token named.
    error CurrencyNotSupported(address currency);

    /// @notice The ether sent is not the amount due.
    /// @param got Wei sent.
    /// @param expected Wei due.
    error WrongValue(uint256 got, uint256 expected);

    /// @notice A digest that must be given is zero.
    /// @param digest Its name.
    error MissingDigest(string digest);

    /// @notice A digest is given for something the terms say does not exist.
    /// @param digest Its name.
    error UnexpectedDigest(string digest);

    /// @notice The model is not open.
    /// @param modelId The model.
    /// @param status Where it stands.
    error ModelNotOpen(uint256 modelId, Status status);

    /// @notice The model is not closing.
    /// @param modelId The model.
    /// @param status Where it stands.
    error ModelNotClosing(uint256 modelId, Status status);

    /// @notice No round can be opened any more.
    /// @param modelId The model.
    /// @param deadline Last moment at which one could.
    error DeadlinePassed(uint256 modelId, uint256 deadline);

    /// @notice The call is for another round than the current one.
    /// @param modelId The model.
    /// @param got The round named.
    /// @param expected The current one.
    error RoundMismatch(uint256 modelId, uint256 got, uint256 expected);

    /// @notice All seats of the round are taken.
    /// @param modelId The model.
    /// @param round The round.
    /// @param seats How many it has.
    error RoundFull(uint256 modelId, uint256 round, uint256 seats);

    /// @notice The round has closed and is not settled yet.
    /// @param modelId The model.
    /// @param round The round.
    /// @param state Where it stands.
    error RoundNotCollecting(uint256 modelId, uint256 round, RoundState state);

    /// @notice The round has not closed yet, or its time for settlement is over.
    /// @param modelId The model.
    /// @param round The round.
    /// @param state Where it stands.
    error RoundNotSettleable(uint256 modelId, uint256 round, RoundState state);

    /// @notice The round can still be settled, or there is none.
    /// @param modelId The model.
    /// @param round The round.
    /// @param state Where it stands.
    error RoundNotOverdue(uint256 modelId, uint256 round, RoundState state);

    /// @notice A round is running; it finishes first.
    /// @param modelId The model.
    /// @param round The round.
    error RoundRunning(uint256 modelId, uint256 round);

    /// @notice The update was made on other weights than the current base.
    /// @param got Digest named.
    /// @param expected Digest of the current base.
    error StaleBase(bytes32 got, bytes32 expected);

    /// @notice The same data owner has contributed the same rows to this model before.
    /// @param modelId The model.
    /// @param owner The data owner.
    /// @param tagRoot Root of the rows' tags.
    error RowsAlreadyContributed(uint256 modelId, address owner, bytes32 tagRoot);

    /// @notice A contribution was made from no rows.
    error NoRows();

    /// @notice A list or a byte string has the wrong length.
    /// @param got Its length.
    /// @param expected The length it must have.
    error WrongLength(uint256 got, uint256 expected);

    /// @notice A seat has a share that it cannot have: it is rejected, or the round has no money.
    /// @param seat Its place in the round.
    /// @param share The share, in 64ths.
    error UnexpectedShares(uint256 seat, uint256 share);

    /// @notice The shares of a round with money do not make a whole.
    /// @param got Their sum, in 64ths.
    /// @param expected Sixty-four.
    error SharesSum(uint256 got, uint256 expected);

    /// @notice A seat cannot be rejected as not delivered while it can still deliver.
    /// @param seat Its place in the round.
    /// @param deliverBy Last moment for its payload.
    error StillDeliverable(uint256 seat, uint256 deliverBy);

    /// @notice A loss does not lie on the grid of the terms, or the grid does not divide the way to the
    /// target.
    /// @param loss The loss, or the way from the initial loss to the target.
    /// @param step One step of the grid, or the number of steps asked for.
    error LossOffGrid(uint256 loss, uint256 step);

    /// @notice A round without money keeps base weights and commitment.
    /// @param got Digest named.
    /// @param expected Digest that stays.
    error BaseMustStay(bytes32 got, bytes32 expected);

    /// @notice A round with money has new base weights and a new commitment to them.
    /// @param base Digest that must change.
    error BaseMustChange(bytes32 base);

    /// @notice The time for the closing score is over, or there is nothing to score.
    /// @param modelId The model.
    /// @param closingBy Last moment at which it could be given; zero if there is nothing to score.
    error ClosingOver(uint256 modelId, uint256 closingBy);

    /// @notice The closing score was given before.
    /// @param modelId The model.
    error ClosingAlreadySettled(uint256 modelId);

    /// @notice A round without money left the weights as they were, so their closing loss is the same.
    /// @param round The round.
    /// @param got Closing loss given for it.
    /// @param expected Closing loss given for the round before.
    error ClosingLossMustStay(uint256 round, uint64 got, uint64 expected);

    /// @notice It is too early for this.
    /// @param now_ Block time.
    /// @param from First moment at which it is allowed.
    error TooEarly(uint256 now_, uint256 from);

    /// @notice Nothing is due to this seat now.
    /// @param modelId The model.
    /// @param round The round.
    /// @param seat Its place in the round.
    error NothingToClaim(uint256 modelId, uint256 round, uint256 seat);

    /// @notice The account has no credit.
    /// @param account Whose credit was asked for.
    error NothingToWithdraw(address account);

    /// @notice The receiver refused its money; its credit stands.
    /// @param account The receiver.
    /// @param amount Wei it was sent.
    error PaymentFailed(address account, uint256 amount);
}
