// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModelTypes} from "../interfaces/IModelTypes.sol";
import {QuadraticLoss} from "../libraries/QuadraticLoss.sol";
import {QuadraticLossHarness} from "../mocks/QuadraticLossHarness.sol";
import {Cheats} from "./Cheats.sol";

/// @title The assembly of QuadraticLoss against plain Solidity
contract QuadraticLossTest is Cheats {
    QuadraticLossHarness private immutable HARNESS = new QuadraticLossHarness();

    function testFuzzAssemblyEqualsPlainSolidity(uint256 seed, uint256 dimension, uint8 metric, uint8 shift)
        external
    {
        dimension = _within(dimension, 2, 12);
        IModelTypes.Metric kind = IModelTypes.Metric(metric % 3);
        bytes memory matrix = _bytes(seed, dimension * (dimension + 1) * 4, 8);
        bytes memory weights = _bytes(~seed, (dimension - 1) * 4, 4);
        int256 form = HARNESS.plainForm(matrix, dimension, weights, kind);
        if (form < 0) {
            vm.expectRevert(QuadraticLoss.NegativeForm.selector);
            HARNESS.lossSum(matrix, dimension, weights, kind, shift);
            return;
        }
        uint256 shifted = uint256(form) >> shift;
        uint256 expected = shifted > type(uint64).max ? type(uint64).max : shifted;
        vm.assertEq(HARNESS.lossSum(matrix, dimension, weights, kind, shift), expected);
    }

    function testFuzzPaddingMustBeZero(uint256 seed, uint256 dimension, uint256 place, uint8 value) external {
        dimension = _within(dimension, 2, 12);
        vm.assume(value != 0);
        bytes memory matrix = _bytes(seed, dimension * (dimension + 1) * 4, 8);
        bytes memory weights = _bytes(seed, (dimension - 1) * 4, 4);
        uint256 used = dimension * (dimension + 1) * 4;
        vm.assume(matrix.length != used);
        matrix[_within(place, used, matrix.length - 1)] = bytes1(value);
        vm.expectRevert(QuadraticLoss.UnexpectedPadding.selector);
        HARNESS.lossSum(matrix, dimension, weights, IModelTypes.Metric.Brier, 60);
    }

    /// @dev Random entries of `size` bytes, one in four of them an extreme: smallest, largest, minus one or
    /// zero.
    function _bytes(uint256 seed, uint256 used, uint256 size) private pure returns (bytes memory data) {
        data = new bytes((used + 31) / 32 * 32);
        for (uint256 at = 0; at < used; at += size) {
            bytes32 random = keccak256(abi.encode(seed, at));
            if (uint8(random[31]) < 64) {
                bytes8[4] memory extremes = [
                    bytes8(0x8000000000000000),
                    bytes8(0x7fffffffffffffff),
                    bytes8(0xffffffffffffffff),
                    bytes8(0x0000000000000000)
                ];
                random = extremes[uint8(random[30]) % 4];
            }
            for (uint256 i = 0; i < size; ++i) {
                data[at + i] = random[i];
            }
        }
    }
}
