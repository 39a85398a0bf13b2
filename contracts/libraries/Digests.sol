// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModelErrors} from "../interfaces/IModelErrors.sol";

/// @title Digests that must be there
/// @notice Refuses a zero where a digest is meant.
/// @dev Names are short literals in one word; a name becomes a string only to be reverted with, which keeps
/// the contract below the size limit of EIP-170.
library Digests {
    /// @notice Refuse a digest that is zero.
    /// @param digest The digest.
    /// @param name What it is called, up to 32 characters.
    function mustExist(bytes32 digest, bytes32 name) internal pure {
        if (digest == 0) revert IModelErrors.MissingDigest(toString(name));
    }

    /// @notice A name as a string.
    /// @param name Up to 32 characters, zeros after them.
    /// @return text The same without the zeros.
    function toString(bytes32 name) internal pure returns (string memory text) {
        uint256 length = 0;
        while (length < 32 && name[length] != 0) ++length;
        bytes memory characters = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            characters[i] = name[i];
        }
        return string(characters);
    }
}
