// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModelRepository} from "../interfaces/IModelRepository.sol";
import {ContractAccount} from "./ContractAccount.sol";

/// @title An account that refuses to be paid
/// @notice Whatever pays it is reverted.
contract RefusingReceiver is ContractAccount {
    /// @notice It takes no money.
    error NoThanks();

    /// @notice Made for one repository; may be given ether.
    /// @param repository The repository it acts on.
    constructor(IModelRepository repository) payable ContractAccount(repository) {}

    /// @notice Refuse.
    receive() external payable override {
        revert NoThanks();
    }
}
