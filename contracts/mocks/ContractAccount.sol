// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModelRepository} from "../interfaces/IModelRepository.sol";

/// @title An account that is a contract
/// @notice Calls a model repository as whoever deployed it asks, the way a multisignature wallet does.
contract ContractAccount {
    /// @dev The repository it acts on.
    IModelRepository internal immutable REPOSITORY;

    /// @notice Made for one repository; may be given ether.
    /// @param repository The repository it acts on.
    constructor(IModelRepository repository) payable {
        REPOSITORY = repository;
    }

    /// @notice Take ether.
    receive() external payable virtual {}

    /// @notice Call the repository, passing on what it reverts with.
    /// @param value Wei to send along.
    /// @param data Call data.
    /// @return result What the call returned.
    function act(uint256 value, bytes calldata data) external payable returns (bytes memory result) {
        bool done;
        (done, result) = address(REPOSITORY).call{value: value}(data);
        if (!done) {
            // Safe: reverts with the `mload(result)` bytes behind the length word of `result`; writes
            // nothing.
            assembly ("memory-safe") {
                revert(add(result, 0x20), mload(result))
            }
        }
    }
}
