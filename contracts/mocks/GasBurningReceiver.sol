// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModelRepository} from "../interfaces/IModelRepository.sol";
import {ContractAccount} from "./ContractAccount.sol";

/// @title An account that burns all the gas it is given when paid
/// @notice Whatever pays it runs out of the gas it has passed on.
contract GasBurningReceiver is ContractAccount {
    /// @notice Counts for ever.
    uint256 public spins;

    /// @notice Made for one repository; may be given ether.
    /// @param repository The repository it acts on.
    constructor(IModelRepository repository) payable ContractAccount(repository) {}

    /// @notice Never return.
    receive() external payable override {
        while (true) spins += 1;
    }
}
