// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ModelRepository} from "../ModelRepository.sol";
import {IModelTypes} from "../interfaces/IModelTypes.sol";
import {Cheats} from "./Cheats.sol";

/// @title What the fuzzer's market knows
/// @notice Its people, its clock, and all money counted a second time; and how to make terms and settlements that keep
/// the rules.
abstract contract MarketState is Cheats {
    uint256 internal constant MAX_MODELS = 3;
    uint256 internal constant LENDERS = 2;
    uint256 internal constant OWNERS = 4;

    ModelRepository public immutable REPOSITORY;

    /// @notice Wei ever sent to the repository, and ever taken out of it.
    uint256 public paidIn;
    uint256 public paidOut;

    /// @notice The same by model: in, credited, burned; and what of the credits was reward.
    mapping(uint256 modelId => uint256 amount) public modelIn;
    mapping(uint256 modelId => uint256 amount) public modelCredited;
    mapping(uint256 modelId => uint256 amount) public modelBurned;
    mapping(uint256 modelId => uint256 amount) public modelRewards;

    /// @notice Whether a model or a round was ever seen to go back.
    bool public wentBack;

    mapping(uint256 modelId => uint256 status) private _lastStatus;
    mapping(uint256 modelId => mapping(uint256 number => uint256 state)) private _lastState;
    mapping(uint256 modelId => uint256 rounds) private _lastRounds;
    uint256 private _nonce;
    uint256 internal _now;

    constructor(ModelRepository repository) {
        REPOSITORY = repository;
        _now = block.timestamp;
    }

    /// @dev Block time is set again before each move: a fuzzer's runs start where the test contract was made.
    modifier moving() {
        vm.warp(_now);
        _;
        _watch();
    }

    function lender(uint256 seed) public pure returns (address) {
        return address(uint160(0x1000 + seed % LENDERS));
    }

    function owner(uint256 seed) public pure returns (address) {
        return address(uint160(0x2000 + (seed >> 8) % OWNERS));
    }

    function attacker() public pure returns (address) {
        return address(0x3000);
    }

    /// @notice Everybody who can have credit.
    function account(uint256 seed) public pure returns (address) {
        seed %= LENDERS + OWNERS;
        return seed < LENDERS ? lender(seed) : owner((seed - LENDERS) << 8);
    }

    /// @notice How many of them there are.
    function accounts() external pure returns (uint256) {
        return LENDERS + OWNERS;
    }

    /// @notice Claim for a seat if anything is due.
    function claimSeat(uint256 id, uint256 number, uint256 index) public {
        (uint256 stake, uint256 reward) = REPOSITORY.claimable(id, number, index);
        if (stake + reward == 0) return;
        IModelTypes.Seat memory s = REPOSITORY.seat(id, number, index);
        uint256 before = REPOSITORY.credit(s.owner);
        vm.prank(attacker());
        (uint256 gotStake, uint256 gotReward) = REPOSITORY.claim(id, number, index);
        vm.assertEq(gotStake, stake, "claimed another stake than foreseen");
        vm.assertEq(gotReward, reward, "claimed another reward than foreseen");
        vm.assertEq(REPOSITORY.credit(s.owner) - before, stake + reward, "credited to somebody else");
        modelCredited[id] += stake + reward;
        // In a failed model a claim may hold a compensation, which is no reward: it comes of the bond too.
        if (!REPOSITORY.model(id).failed) modelRewards[id] += reward;
    }

    function _countIn(uint256 id, uint256 amount) internal {
        paidIn += amount;
        modelIn[id] += amount;
    }

    function _fund(address who, uint256 amount) internal {
        vm.deal(who, who.balance + amount);
    }

    function _digest() internal returns (bytes32) {
        return keccak256(abi.encode(++_nonce));
    }

    function _terms(uint256 seed, uint256 bounty) internal view returns (IModelTypes.Terms memory terms) {
        terms.stake = uint96(seed % 3 == 0 ? 0 : _within(seed >> 16, 1, bounty));
        terms.initialLoss = 1000;
        terms.targetLoss = uint64(_within(seed >> 24, 0, 900));
        terms.minGain = uint64(_within(seed >> 32, 0, 50));
        terms.lossSteps = seed % 2 == 0 ? 0 : 1;
        if (terms.lossSteps != 0) terms.lossSteps = (1000 - terms.targetLoss) % 10 == 0 ? 10 : 1;
        terms.closingSharePpm = uint32([uint256(0), 500_000, 1_000_000, 333_333][(seed >> 40) % 4]);
        terms.maxRounds = uint8(_within(seed >> 48, 1, 4));
        terms.seats = uint8(_within(seed >> 56, 1, 4));
        terms.pilotSeats = uint8(_within(seed >> 60, 0, 2));
        terms.closeWhenFull = seed % 5 != 0;
        terms.deadline = uint40(_now + 400);
        terms.collectWindow = 30;
        terms.deliverWindow = 20;
        terms.settleWindow = 40;
        terms.closingWindow = 30;
        terms.auditDemandWindow = 20;
        terms.auditAnswerWindow = 20;
        terms.scoringRows = 1000;
        terms.closingRows = terms.closingSharePpm == 0 ? 0 : uint16(_within(seed >> 64, 500, 2000));
    }

    /// @dev A settlement that keeps the rules, but for who sends it and when.
    function _settlement(uint256 id, IModelTypes.Model memory m, uint256 seed, uint256 lossSeed)
        internal
        returns (IModelTypes.Settlement memory s)
    {
        IModelTypes.Terms memory terms = REPOSITORY.terms(id);
        IModelTypes.Round memory r = REPOSITORY.round(id, m.rounds);
        s.round = m.rounds;
        s.shares = new uint8[](r.seats);
        s.rejections = new IModelTypes.Rejection[](r.seats);
        s.nextWeights = m.baseWeights;
        s.weightsCommitment = m.weightsCommitment;
        uint256 accepted = 0;
        for (uint256 i = 0; i < r.seats; ++i) {
            uint256 code = uint256(keccak256(abi.encode(seed, i))) % 8;
            if (code == 1 && _now <= r.deliverBy) code = 2;
            s.rejections[i] = IModelTypes.Rejection(code < 5 ? code : 0);
            if (s.rejections[i] == IModelTypes.Rejection.Accepted) ++accepted;
        }
        uint256 step = terms.lossSteps == 0 ? 1 : (1000 - terms.targetLoss) / terms.lossSteps;
        uint256 loss = 1000 % step + _within(lossSeed, 0, 1100 / step) * step;
        s.loss = accepted == 0 ? m.best : uint64(loss);
        if (!_pays(m, terms, s.loss)) return s;
        s.nextWeights = _digest();
        s.weightsCommitment = _digest();
        uint256 open = 64;
        for (uint256 i = 0; i < r.seats; ++i) {
            if (s.rejections[i] != IModelTypes.Rejection.Accepted) continue;
            --accepted;
            uint256 share = accepted == 0 ? open : uint256(keccak256(abi.encode(lossSeed, i))) % (open + 1);
            s.shares[i] = uint8(share);
            open -= share;
        }
    }

    function _pays(IModelTypes.Model memory m, IModelTypes.Terms memory terms, uint256 loss)
        internal
        pure
        returns (bool)
    {
        if (loss <= terms.targetLoss) return true;
        if (loss >= m.best || m.best - loss < terms.minGain) return false;
        return uint256(m.left) * (m.best - loss) >= m.best - terms.targetLoss;
    }

    function _model(uint256 seed) internal view returns (uint256 id, IModelTypes.Model memory m) {
        id = 1 + seed % REPOSITORY.modelCount();
        m = REPOSITORY.model(id);
    }

    function _currentState(uint256 id, IModelTypes.Model memory m)
        internal
        view
        returns (IModelTypes.RoundState)
    {
        return m.rounds == 0 ? IModelTypes.RoundState.None : REPOSITORY.round(id, m.rounds).state;
    }

    function _isRunning(uint256 id, IModelTypes.Model memory m) internal view returns (bool) {
        return m.rounds != 0 && _currentState(id, m) < IModelTypes.RoundState.Settled;
    }

    /// @dev Remember where all models and rounds stand and notice a step back.
    function _watch() private {
        for (uint256 id = 1; id <= REPOSITORY.modelCount(); ++id) {
            IModelTypes.Model memory m = REPOSITORY.model(id);
            if (uint256(m.status) < _lastStatus[id] || m.rounds < _lastRounds[id]) wentBack = true;
            _lastStatus[id] = uint256(m.status);
            _lastRounds[id] = m.rounds;
            for (uint256 n = 1; n <= m.rounds; ++n) {
                uint256 state = uint256(REPOSITORY.round(id, n).state);
                if (state < _lastState[id][n] || (_lastState[id][n] >= 5 && state != _lastState[id][n])) {
                    wentBack = true;
                }
                _lastState[id][n] = state;
            }
        }
    }
}
