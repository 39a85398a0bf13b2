// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModelTypes} from "../interfaces/IModelTypes.sol";
import {QuadraticLoss} from "../libraries/QuadraticLoss.sol";

/// @title QuadraticLoss made callable
/// @notice Lets tests call the library, and compare it with the same sum in plain Solidity.
contract QuadraticLossHarness {
    /// @notice {QuadraticLoss.lossSum}.
    /// @param matrix Bytes of the matrix.
    /// @param dimension Its rows.
    /// @param weights Bytes of the weights.
    /// @param metric The loss.
    /// @param shift Bits.
    /// @return sum Loss sum.
    function lossSum(
        bytes calldata matrix,
        uint256 dimension,
        bytes calldata weights,
        IModelTypes.Metric metric,
        uint256 shift
    ) external pure returns (uint64 sum) {
        return QuadraticLoss.lossSum(matrix, dimension, weights, metric, shift);
    }

    /// @notice {QuadraticLoss.matrixCommitment}.
    /// @param salt Salt.
    /// @param metric The loss.
    /// @param lossShift Bits.
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
    ) external pure returns (bytes32 commitment) {
        return QuadraticLoss.matrixCommitment(salt, metric, lossShift, rows, dimension, matrix);
    }

    /// @notice {QuadraticLoss.weightsCommitment}.
    /// @param seed Salt.
    /// @param weights Bytes of the weights.
    /// @return commitment The salted hash.
    function weightsCommitment(bytes32 seed, bytes calldata weights)
        external
        pure
        returns (bytes32 commitment)
    {
        return QuadraticLoss.weightsCommitment(seed, weights);
    }

    /// @notice The quadratic form entry by entry over the whole square, without assembly and with checked
    /// arithmetic.
    /// @param matrix Bytes of the matrix.
    /// @param dimension Its rows.
    /// @param weights Bytes of the weights.
    /// @param metric The loss.
    /// @return form Not shifted, not cut.
    function plainForm(
        bytes calldata matrix,
        uint256 dimension,
        bytes calldata weights,
        IModelTypes.Metric metric
    ) external pure returns (int256 form) {
        for (uint256 i = 0; i < dimension; ++i) {
            for (uint256 j = 0; j < dimension; ++j) {
                (uint256 row, uint256 column) = i < j ? (i, j) : (j, i);
                uint256 at = 8 * (row * dimension - row * (row + 1) / 2 + column);
                int256 entry = int64(uint64(bytes8(matrix[at:at + 8])));
                form += _element(weights, dimension, metric, i) * entry
                * _element(weights, dimension, metric, j);
            }
        }
    }

    function _element(bytes calldata weights, uint256 dimension, IModelTypes.Metric metric, uint256 index)
        private
        pure
        returns (int256)
    {
        if (index < dimension - 1) return int32(uint32(bytes4(weights[4 * index:4 * index + 4])));
        return metric == IModelTypes.Metric.SquaredError ? int256(2 ** 26) : int256(2 ** 27);
    }
}
