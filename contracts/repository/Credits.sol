// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModelRepository} from "../interfaces/IModelRepository.sol";

/// @title Money owed to accounts
/// @notice Every payment is a credit that its owner pulls, so no receiver can block another.
abstract contract Credits is IModelRepository {
    /// @dev Wei by account.
    mapping(address account => uint256 amount) private _credits;

    /// @dev Wei that belongs to nobody.
    uint256 private _burned;

    /// @inheritdoc IModelRepository
    function withdraw() external override returns (uint256 amount) {
        // Check
        amount = _credits[msg.sender];
        if (amount == 0) revert NothingToWithdraw(msg.sender);

        // Effect
        _credits[msg.sender] = 0;
        emit Withdrawn({account: msg.sender, currency: address(0), amount: amount});

        // Interaction: the credit is gone already, so a receiver that calls back finds nothing; one that
        // reverts keeps its credit and hurts only itself.
        (bool paid,) = msg.sender.call{value: amount}("");
        if (!paid) revert PaymentFailed(msg.sender, amount);
    }

    /// @inheritdoc IModelRepository
    function credit(address account) external view override returns (uint256 amount) {
        return _credits[account];
    }

    /// @inheritdoc IModelRepository
    function burned() external view override returns (uint256 amount) {
        return _burned;
    }

    /// @dev Owe an account more.
    function _credit(address account, uint256 amount) internal {
        _credits[account] += amount;
    }

    /// @dev Take money out of everybody's reach.
    function _burn(uint256 amount) internal {
        _burned += amount;
    }
}
