// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title What forge lets a test do to the chain
/// @notice The part of forge's cheatcodes that these tests use.
interface Vm {
    function warp(uint256 timestamp) external;

    function deal(address account, uint256 balance) external;

    function chainId(uint256 id) external;

    function prank(address sender) external;

    function expectRevert(bytes4 selector) external;

    function expectRevert(bytes calldata data) external;

    function assume(bool condition) external pure;

    function assertEq(uint256 got, uint256 expected, string calldata what) external pure;

    function assertEq(uint256 got, uint256 expected) external pure;

    function assertLe(uint256 got, uint256 most, string calldata what) external pure;

    function assertGe(uint256 got, uint256 least, string calldata what) external pure;

    function assertTrue(bool condition, string calldata what) external pure;
}

/// @title Base of all forge tests
abstract contract Cheats {
    /// @dev forge's address for cheatcodes: the last twenty bytes of keccak256("hevm cheat code").
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev forge runs a contract with this as a test.
    // solhint-disable-next-line func-name-mixedcase, const-name-snakecase
    bool public constant IS_TEST = true;

    /// @dev Bring a fuzzed number between two bounds, both included.
    function _within(uint256 number, uint256 least, uint256 most) internal pure returns (uint256) {
        if (most - least == type(uint256).max) return number;
        return least + number % (most - least + 1);
    }
}
