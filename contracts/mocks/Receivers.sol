// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModelRepository} from "../interfaces/IModelRepository.sol";

/// @title An account that is a contract
/// @notice Calls a model repository as whoever deployed it asks, the way a multisignature wallet does.
contract ContractAccount {
    /// @dev The repository it acts on.
    IModelRepository internal immutable REPOSITORY;

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
            // Safe: reverts with the `mload(result)` bytes behind the length word of `result`; writes nothing.
            assembly ("memory-safe") {
                revert(add(result, 0x20), mload(result))
            }
        }
    }
}

/// @title An account that refuses to be paid
contract RefusingReceiver is ContractAccount {
    /// @notice It takes no money.
    error NoThanks();

    /// @param repository The repository it acts on.
    constructor(IModelRepository repository) payable ContractAccount(repository) {}

    /// @notice Refuse.
    receive() external payable override {
        revert NoThanks();
    }
}

/// @title An account that withdraws again while it is being paid
/// @notice It keeps what the second attempt reverted with and accepts the first payment.
contract ReenteringReceiver is ContractAccount {
    /// @notice Times it was paid.
    uint256 public payments;

    /// @notice What the nested withdrawal reverted with.
    bytes public refusal;

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

/// @title An account that burns all the gas it is given when paid
contract GasBurningReceiver is ContractAccount {
    /// @notice Counts for ever.
    uint256 public spins;

    /// @param repository The repository it acts on.
    constructor(IModelRepository repository) payable ContractAccount(repository) {}

    /// @notice Never return.
    receive() external payable override {
        while (true) spins += 1;
    }
}
