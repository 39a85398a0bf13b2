// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModelTypes} from "../interfaces/IModelTypes.sol";

/// @title Loss sums that anyone can recompute
/// @notice Every settled metric is a quadratic form `vᵀ G v` in integers: `G` comes of the rows of a set, `v`
/// of the weights (protocol §8). The twin of `chain_common/domain/scoring.py`, bit for bit.
/// @dev `v` has `dimension` entries: the weights with 26 fractional bits, then one more, 2·2²⁶ for the Brier
/// metrics and 2²⁶ for the squared error.
///
/// Bytes of a matrix: its upper triangle row by row, int64 big-endian, zeros up to a multiple of 32. Bytes of
/// weights: int32 big-endian, zeros up to a multiple of 32.
library QuadraticLoss {
    /// @notice Largest dimension; with the bounds of protocol §8 the form then stays below 2^136.
    uint256 internal constant MAX_DIMENSION = 512;

    /// @dev 2·2²⁶: the Brier metrics score `1/2 + z/4`, so four times the residual is `2 z' x + (1 − 2y)·2`.
    int256 private constant BRIER_LAST = 2 << 26;

    /// @dev 2²⁶, one with the weights' fractional bits.
    int256 private constant SQUARED_LAST = 1 << 26;

    /// @notice A matrix has fewer than two or more than 512 rows.
    /// @param dimension Rows given.
    error DimensionOutOfBounds(uint256 dimension);

    /// @notice Bytes do not have the length their dimension calls for.
    /// @param got Their length.
    /// @param expected The length they must have.
    error WrongByteLength(uint256 got, uint256 expected);

    /// @notice Bytes after the last entry are not zero, so they are not the canonical encoding.
    error UnexpectedPadding();

    /// @notice The form is negative, which no set of rows gives.
    error NegativeForm();

    /// @notice Loss sum of weights on a set: `min(2⁶⁴ − 1, vᵀ G v >> shift)`.
    /// @param matrix Bytes of `G`.
    /// @param dimension Rows of `G`, 2 to 512: one more than there are weights.
    /// @param weights Bytes of the weights.
    /// @param metric The loss.
    /// @param shift Bits by which the form is shifted right.
    /// @return sum Loss sum.
    function lossSum(
        bytes calldata matrix,
        uint256 dimension,
        bytes calldata weights,
        IModelTypes.Metric metric,
        uint256 shift
    ) internal pure returns (uint64 sum) {
        if (dimension < 2 || dimension > MAX_DIMENSION) {
            revert DimensionOutOfBounds(dimension);
        }
        _checkBytes(matrix, dimension * (dimension + 1) * 4);
        _checkBytes(weights, (dimension - 1) * 4);
        int256[] memory v = _vector(weights, dimension, metric);
        int256 form = _form(matrix, v);
        if (form < 0) revert NegativeForm();
        uint256 shifted = uint256(form) >> shift;
        // Safe cast: the larger ones are cut.
        return shifted > type(uint64).max ? type(uint64).max : uint64(shifted);
    }

    /// @notice Commitment to a set's matrix, fixed when a model is created.
    /// @param salt Thirty-two random bytes.
    /// @param metric The loss the set is scored by.
    /// @param lossShift Bits by which the form is shifted.
    /// @param rows Rows of the set.
    /// @param dimension Rows of the matrix.
    /// @param matrix Its bytes.
    /// @return commitment The salted hash.
    function matrixCommitment(
        bytes32 salt,
        IModelTypes.Metric metric,
        uint8 lossShift,
        uint16 rows,
        uint16 dimension,
        bytes calldata matrix
    ) internal pure returns (bytes32 commitment) {
        return keccak256(abi.encode(salt, metric, lossShift, rows, dimension, keccak256(matrix)));
    }

    /// @notice Commitment to scoring weights, given with every settlement.
    /// @param seed The seed of the weights' encryption, which is the salt.
    /// @param weights Their bytes.
    /// @return commitment The salted hash.
    function weightsCommitment(bytes32 seed, bytes calldata weights)
        internal
        pure
        returns (bytes32 commitment)
    {
        return keccak256(abi.encode(seed, keccak256(weights)));
    }

    /// @dev Check the length of padded bytes and that the padding is zero. `used` is not zero.
    function _checkBytes(bytes calldata data, uint256 used) private pure {
        uint256 expected = (used + 31) / 32 * 32;
        if (data.length != expected) revert WrongByteLength(data.length, expected);
        // The last word without its used bytes; a shift by 256 gives zero.
        uint256 last = uint256(bytes32(data[expected - 32:]));
        if (last << (8 * (32 - (expected - used))) != 0) revert UnexpectedPadding();
    }

    /// @dev The weights, one to a word, and the last entry.
    function _vector(bytes calldata weights, uint256 dimension, IModelTypes.Metric metric)
        private
        pure
        returns (int256[] memory v)
    {
        v = new int256[](dimension);
        v[dimension - 1] = metric == IModelTypes.Metric.SquaredError ? SQUARED_LAST : BRIER_LAST;
        // Safe: writes `dimension - 1` words from the first word of `v`, which has `dimension`; reads
        // calldata only, four bytes a weight within the checked length (the bytes after them are shifted
        // out). `sar` keeps the sign.
        assembly ("memory-safe") {
            let from := weights.offset
            let to := add(v, 0x20)
            for { let end := add(to, shl(5, sub(dimension, 1))) } lt(to, end) { to := add(to, 0x20) } {
                mstore(to, sar(224, calldataload(from)))
                from := add(from, 4)
            }
        }
    }

    /// @dev `Σᵢ vᵢ (Gᵢᵢ vᵢ + 2 Σ_{j>i} Gᵢⱼ vⱼ)`.
    function _form(bytes calldata matrix, int256[] memory v) private pure returns (int256 form) {
        // Safe: reads the words of `v` and, one after the other, the d(d+1)/2 entries of eight bytes that the
        // checked length holds; writes no memory. Nothing wraps: an entry is below 2^63, an element of `v` at
        // most 2^31, so a row's sum is below 512 · 2 · 2^94 = 2^104 and the form below 512 · 2^31 · 2^104 =
        // 2^144. `sar` keeps the sign.
        assembly ("memory-safe") {
            let entry := matrix.offset
            let end := add(add(v, 0x20), shl(5, mload(v)))
            for { let row := add(v, 0x20) } lt(row, end) { row := add(row, 0x20) } {
                let diagonal := sar(192, calldataload(entry))
                entry := add(entry, 8)
                let beside := 0
                for { let column := add(row, 0x20) } lt(column, end) { column := add(column, 0x20) } {
                    beside := add(beside, mul(sar(192, calldataload(entry)), mload(column)))
                    entry := add(entry, 8)
                }
                let element := mload(row)
                form := add(form, mul(element, add(mul(diagonal, element), shl(1, beside))))
            }
        }
    }
}
