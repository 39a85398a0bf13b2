// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ModelRepository} from "../ModelRepository.sol";
import {IModelErrors} from "../interfaces/IModelErrors.sol";
import {IModelTypes} from "../interfaces/IModelTypes.sol";
import {Cheats} from "./Cheats.sol";

/// @title Windows are short on development chains only
contract TermBoundsTest is Cheats {
    uint256 private constant MINUTES = 10 minutes;
    uint256 private constant DAYS = 3 days;

    ModelRepository private immutable REPOSITORY = new ModelRepository();

    function testDevelopmentChainsTakeWindowsOfASecond() external {
        uint64[3] memory chains = [uint64(1337), 31_337, 131_277_322_940_537];
        for (uint256 i = 0; i < chains.length; ++i) {
            vm.chainId(chains[i]);
            _create({window: 1, answer: 1});
            _expectTooShort("auditAnswerWindow", 0, 1);
            _create({window: 1, answer: 0});
            _expectTooShort("collectWindow", 0, 1);
            _create({window: 0, answer: 1});
        }
    }

    function testOtherChainsTakeTenMinutesAndThreeDays() external {
        uint64[4] memory chains = [uint64(1), 10, 1338, 8453];
        for (uint256 i = 0; i < chains.length; ++i) {
            vm.chainId(chains[i]);
            _create({window: MINUTES, answer: DAYS});
            _expectTooShort("auditAnswerWindow", DAYS - 1, DAYS);
            _create({window: MINUTES, answer: DAYS - 1});
            _expectTooShort("collectWindow", MINUTES - 1, MINUTES);
            _create({window: MINUTES - 1, answer: DAYS});
        }
    }

    function _expectTooShort(string memory term, uint256 got, uint256 least) private {
        vm.expectRevert(
            abi.encodeWithSelector(IModelErrors.TermOutOfBounds.selector, term, got, least, uint256(365 days))
        );
    }

    function _create(uint256 window, uint256 answer) private {
        IModelTypes.Terms memory terms;
        terms.initialLoss = 1;
        terms.maxRounds = 1;
        terms.seats = 1;
        terms.scoringRows = 1;
        terms.deadline = uint40(block.timestamp);
        (terms.collectWindow, terms.deliverWindow, terms.settleWindow) =
        (uint32(window), uint32(window), uint32(window));
        (terms.closingWindow, terms.auditDemandWindow) = (uint32(window), uint32(window));
        terms.auditAnswerWindow = uint32(answer);
        IModelTypes.Publication memory publication =
            IModelTypes.Publication(bytes32("a"), bytes32("b"), bytes32("c"), bytes32("d"), 0);
        REPOSITORY.createModel{value: 2}(1, 1, publication, terms);
    }
}
