// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RewardMath} from "../libraries/RewardMath.sol";
import {TermBounds} from "../libraries/TermBounds.sol";
import {Cheats} from "./Cheats.sol";

/// @title The money rules over their whole range
contract RewardMathTest is Cheats {
    uint256 private constant MOST = TermBounds.MAX_AMOUNT;

    function testTheFiguresOf2017() external pure {
        vm.assertEq(RewardMath.roundMoney(10_000, 2000, 2000 - 37, 0, 0), 185);
        vm.assertEq(RewardMath.roundMoney(123_456_789, 9, 5, 0, 0), 54_869_684);
    }

    function testFuzzARoundNeverTakesMoreThanIsLeft(
        uint256 left,
        uint64 best,
        uint64 loss,
        uint64 target,
        uint64 minGain
    ) external pure {
        left = _within(left, 0, MOST);
        vm.assume(best > target);
        uint256 money = RewardMath.roundMoney(left, best, loss, target, minGain);
        vm.assertLe(money, left, "above what is left");
        if (loss <= target) vm.assertEq(money, left, "target reached");
        else if (left != 0) vm.assertTrue(money < left, "something stays while the target is not reached");
        if (loss >= best) vm.assertEq(money, 0, "no gain");
        if (loss < best && loss > target && best - loss < minGain) vm.assertEq(money, 0, "gain too small");
    }

    function testFuzzABetterLossIsNeverPaidLess(
        uint256 left,
        uint64 best,
        uint64 worse,
        uint64 better,
        uint64 target,
        uint64 minGain
    ) external pure {
        left = _within(left, 0, MOST);
        vm.assume(best > target && better <= worse);
        vm.assertLe(
            RewardMath.roundMoney(left, best, worse, target, minGain),
            RewardMath.roundMoney(left, best, better, target, minGain),
            "a worse loss was paid more"
        );
    }

    /// @dev `left × gain / (best − target)` again and again is `bounty × gain / (initial − target)` but for
    /// rounding.
    function testFuzzWithoutTopUpsEveryUnitOfGainIsWorthTheSame(
        uint256 bounty,
        uint64 first,
        uint64 second,
        uint64 third
    ) external pure {
        bounty = _within(bounty, 1, MOST);
        uint256 initial = uint256(first) + 3;
        uint256 target = 0;
        uint256 best = initial;
        uint256 left = bounty;
        uint64[2] memory seeds = [second, third];
        for (uint256 i = 0; i < 2; ++i) {
            uint256 loss = _within(seeds[i], 1, best - 1);
            uint256 money = RewardMath.roundMoney(left, best, loss, target, 0);
            uint256 sonar = bounty * (best - loss) / (initial - target);
            vm.assertLe(
                money > sonar ? money - sonar : sonar - money, 2, "off Sonar's formula by more than rounding"
            );
            left -= money;
            best = loss;
            if (best == 1) break;
        }
    }

    function testFuzzSeatsGetAllOfAnAmountAndNoWeiMore(uint256 amount, uint256 seed, uint256 seats)
        external
        pure
    {
        amount = _within(amount, 0, MOST);
        seats = _within(seats, 1, TermBounds.MAX_SEATS);
        (bytes16 shares, uint8[16] memory list) = _randomShares(seed, seats);
        uint256 sum = 0;
        for (uint256 i = 0; i < seats; ++i) {
            (uint256 from, uint256 to) = RewardMath.span(shares, i);
            vm.assertEq(to - from, list[i], "a seat's own share");
            uint256 part = RewardMath.seatPart(amount, from, to);
            if (list[i] == 0) vm.assertEq(part, 0, "paid without a share");
            vm.assertLe(part, amount * list[i] / 64 + 1, "off its share by more than one wei");
            vm.assertGe(part + 1, amount * list[i] / 64, "off its share by more than one wei");
            sum += part;
        }
        vm.assertEq(sum, amount, "a wei was lost or made");
    }

    function testFuzzTheClosingScoreOnlyTakesAway(
        uint256 held,
        uint64 before,
        uint64 after_,
        uint256 closingRows,
        uint64 gain,
        uint256 scoringRows
    ) external pure {
        held = _within(held, 0, MOST);
        closingRows = _within(closingRows, 1, TermBounds.MAX_ROWS);
        scoringRows = _within(scoringRows, 1, TermBounds.MAX_ROWS);
        vm.assume(gain != 0);
        uint256 paid = RewardMath.heldPaid(held, before, after_, closingRows, gain, scoringRows);
        vm.assertLe(paid, held, "more than was held");
        if (after_ >= before) {
            vm.assertEq(paid, 0, "paid for no gain");
        } else if ((uint256(before) - after_) * scoringRows >= uint256(gain) * closingRows) {
            vm.assertEq(paid, held, "k is 1");
        }
    }

    function testFuzzAForfeitIsSharedToTheLastWei(uint256 forfeit, uint256 seats) external pure {
        forfeit = _within(forfeit, 0, 3 * MOST);
        seats = _within(seats, 1, TermBounds.MAX_ROUNDS * TermBounds.MAX_SEATS);
        (uint256 each, uint256 burned) = RewardMath.shareForfeit(forfeit, seats);
        vm.assertEq(each * seats + burned, forfeit, "a wei was lost or made");
        vm.assertGe(burned, forfeit - forfeit / 2, "less than half is burned");
        vm.assertLe(burned, forfeit - forfeit / 2 + seats, "more than half and dust is burned");
    }

    function testFuzzHeldPartAndPenaltyAreParts(uint256 money, uint256 ppm, uint96 stake) external pure {
        money = _within(money, 0, MOST);
        ppm = _within(ppm, 0, 1_000_000);
        vm.assertLe(RewardMath.heldPart(money, ppm), money, "held more than the money");
        vm.assertEq(RewardMath.heldPart(money, 1_000_000), money, "all held");
        vm.assertLe(RewardMath.stakePenalty(stake), stake, "lost more than the stake");
        vm.assertGe(RewardMath.leastBond(money) * 2, money, "bond below half");
    }

    /// @dev Cut 64 at random places into as many shares as there are seats.
    function _randomShares(uint256 seed, uint256 seats)
        private
        pure
        returns (bytes16 packed, uint8[16] memory list)
    {
        uint256 open = 64;
        uint256 word = 0;
        for (uint256 i = 0; i < seats; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 share = i + 1 == seats ? open : seed % (open + 1);
            open -= share;
            list[i] = uint8(share);
            word |= share << (120 - 8 * i);
        }
        packed = bytes16(uint128(word));
    }
}
