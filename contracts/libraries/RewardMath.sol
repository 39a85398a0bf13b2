// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Who gets how much
/// @notice The money rules of a model (protocol §9): pure, in wei and loss sums, rounded so that nothing is
/// lost.
/// @dev Amounts are below 2^120, losses below 2^64, rows at most 2^12, so every product here is below 2^197
/// and checked arithmetic never reverts.
library RewardMath {
    /// @notice Shares of a round are counted in this many parts.
    uint256 internal constant WHOLE = 64;

    /// @notice One, in millionths.
    uint256 internal constant MILLION = 1_000_000;

    /// @notice A rejected seat loses one part in this many of its stake.
    uint256 internal constant STAKE_PARTS = 10;

    /// @notice Money of a round: `left × (best − max(loss, target)) / (best − target)`, rounded down.
    /// @dev Zero when the loss has not fallen, or has fallen by less than `minGain` and is still above the
    /// target. Never above `left`, and all of it exactly when the target is reached; requires `best >
    /// target`.
    /// @param left Bounty given to no round, in wei.
    /// @param best Loss sum of the base.
    /// @param loss Loss sum reported.
    /// @param target Loss sum at which all is paid.
    /// @param minGain Smallest gain paid.
    /// @return money Wei.
    function roundMoney(uint256 left, uint256 best, uint256 loss, uint256 target, uint256 minGain)
        internal
        pure
        returns (uint256 money)
    {
        if (loss <= target) return left;
        if (loss >= best || best - loss < minGain) return 0;
        return left * (best - loss) / (best - target);
    }

    /// @notice Part of a round's money that waits for the closing score: `money × closingSharePpm / 10⁶`,
    /// rounded down.
    /// @param money Wei.
    /// @param closingSharePpm Millionths.
    /// @return held Wei.
    function heldPart(uint256 money, uint256 closingSharePpm) internal pure returns (uint256 held) {
        return money * closingSharePpm / MILLION;
    }

    /// @notice Where a seat's shares lie when the shares of all seats are laid end to end.
    /// @param shares Shares of the seats in 64ths, seat i in byte i from the left.
    /// @param index The seat, below 16.
    /// @return from Sum of the shares of the seats before it.
    /// @return to The same with its own.
    function span(bytes16 shares, uint256 index) internal pure returns (uint256 from, uint256 to) {
        // The shares of seats 0 to `index`, the last in the lowest byte.
        uint256 word = uint256(uint128(shares)) >> (120 - 8 * index);
        uint256 own = word & 0xff;
        for (word >>= 8; word != 0; word >>= 8) {
            from += word & 0xff;
        }
        to = from + own;
    }

    /// @notice A seat's part of an amount, by cumulative rounding: `⌊amount × to / 64⌋ − ⌊amount × from /
    /// 64⌋`. The parts of all seats sum to the amount exactly when their shares sum to 64.
    /// @param amount Wei.
    /// @param from Shares of the seats before this one.
    /// @param to The same with its own.
    /// @return part Wei.
    function seatPart(uint256 amount, uint256 from, uint256 to) internal pure returns (uint256 part) {
        return amount * to / WHOLE - amount * from / WHOLE;
    }

    /// @notice What the closing score leaves of a held amount: `held × min(1, max(0, k))`, rounded down, with
    /// `k = (closingGain / closingRows) / (scoringGain / scoringRows)`.
    /// @param held Wei.
    /// @param closingBefore Closing-set loss sum of the round's base.
    /// @param closingAfter Closing-set loss sum of the base after it.
    /// @param closingRows Rows of the closing set, not zero.
    /// @param scoringGain Fall of the scoring-set loss sum in the round, not zero.
    /// @param scoringRows Rows of the scoring set.
    /// @return paid Wei.
    function heldPaid(
        uint256 held,
        uint256 closingBefore,
        uint256 closingAfter,
        uint256 closingRows,
        uint256 scoringGain,
        uint256 scoringRows
    ) internal pure returns (uint256 paid) {
        if (closingAfter >= closingBefore) return 0;
        uint256 numerator = (closingBefore - closingAfter) * scoringRows;
        uint256 denominator = scoringGain * closingRows;
        return numerator >= denominator ? held : held * numerator / denominator;
    }

    /// @notice What a rejected seat loses of its stake: a tenth, rounded down.
    /// @param stake Wei.
    /// @return penalty Wei.
    function stakePenalty(uint256 stake) internal pure returns (uint256 penalty) {
        return stake / STAKE_PARTS;
    }

    /// @notice Smallest bond for a bounty: half of it, rounded up.
    /// @param bounty Wei.
    /// @return bond Wei.
    function leastBond(uint256 bounty) internal pure returns (uint256 bond) {
        return (bounty + 1) / 2;
    }

    /// @notice Share a forfeit: half is burned, the other half goes to the seats in equal parts, and what
    /// does not divide is burned too.
    /// @param forfeit Wei.
    /// @param seats How many share, not zero.
    /// @return each Wei of one seat.
    /// @return burned Wei burned.
    function shareForfeit(uint256 forfeit, uint256 seats)
        internal
        pure
        returns (uint256 each, uint256 burned)
    {
        each = forfeit / 2 / seats;
        burned = forfeit - each * seats;
    }
}
