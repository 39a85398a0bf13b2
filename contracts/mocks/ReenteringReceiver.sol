// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

// Being complex is what this fallback is for.
// solhint-disable no-complex-fallback

import {IModelRepository} from "../interfaces/IModelRepository.sol";
import {ContractAccount} from "./ContractAccount.sol";

/// @title An account that withdraws again while it is being paid
/// @notice It keeps what the second attempt reverted with and accepts the first payment.
contract ReenteringReceiver is ContractAccount {
    /// @notice Times it was paid.
    uint256 public payments;

    /// @notice What the nested withdrawal reverted with.
    bytes public refusal;

    /// @notice Made for one repository; may be given ether.
    /// @param repository The repository it acts on.
    constructor(IModelRepository repository) payable ContractAccount(repository) {}

    /// @notice Try to be paid twice.
    receive() external payable override {
        payments += 1;
        try REPOSITORY.withdraw() {
            payments += 100;
        } catch (bytes memory reason) {
            refusal = reason;
        }
    }
}
