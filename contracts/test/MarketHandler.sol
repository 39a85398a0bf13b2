// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ModelRepository} from "../ModelRepository.sol";
import {IModelTypes} from "../interfaces/IModelTypes.sol";
import {Cheats} from "./Cheats.sol";

/// @title Lenders, data owners, an attacker and time
/// @notice Everything a fuzzer may do to a repository. The honest moves are only tried where the rules allow them and
/// must then succeed; the attacker tries anything. All money is counted here a second time.
contract MarketHandler is Cheats {
    uint256 private constant MAX_MODELS = 3;
    uint256 private constant LENDERS = 2;
    uint256 private constant OWNERS = 4;

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
    uint256 private _now;

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

    // --------------------------------------------------------------------------------------------------- Lenders

    function create(uint256 seed, uint256 bounty, uint256 extraBond) external moving {
        if (REPOSITORY.modelCount() == MAX_MODELS) return;
        bounty = _within(bounty, 1000, 1e24);
        uint256 bond = (bounty + 1) / 2 + extraBond % 1000;
        IModelTypes.Terms memory terms = _terms(seed, bounty);
        IModelTypes.Publication memory publication;
        publication.spec = _digest();
        publication.baseWeights = _digest();
        publication.weightsCommitment = _digest();
        publication.scoringCommitment = _digest();
        if (terms.closingSharePpm != 0) publication.closingCommitment = _digest();
        address from = lender(seed);
        _fund(from, bounty + bond);
        vm.prank(from);
        uint256 id = REPOSITORY.createModel{value: bounty + bond}(bounty, bond, publication, terms);
        _countIn(id, bounty + bond);
    }

    function topUp(uint256 seed, uint256 bounty, uint256 bond) external moving {
        (uint256 id, IModelTypes.Model memory m) = _model(seed);
        if (m.status != IModelTypes.Status.Open) return;
        bounty = _within(bounty, 0, 1e24);
        bond = (bounty + 1) / 2 + bond % 1000;
        _fund(m.lender, bounty + bond);
        vm.prank(m.lender);
        REPOSITORY.topUp{value: bounty + bond}(id, bounty, bond);
        _countIn(id, bounty + bond);
    }

    function settle(uint256 seed, uint256 lossSeed) public moving {
        (uint256 id, IModelTypes.Model memory m) = _model(seed);
        IModelTypes.RoundState state = _currentState(id, m);
        if (state != IModelTypes.RoundState.Delivering && state != IModelTypes.RoundState.AwaitingSettlement) return;
        IModelTypes.Settlement memory s = _settlement(id, m, seed, lossSeed);
        uint256 burned = REPOSITORY.burned();
        vm.prank(m.lender);
        REPOSITORY.settle(id, s);
        modelBurned[id] += REPOSITORY.burned() - burned;
    }

    function settleClosing(uint256 seed) public moving {
        (uint256 id, IModelTypes.Model memory m) = _model(seed);
        if (m.status != IModelTypes.Status.Closing || m.closingSettled || _now > m.closingBy) return;
        uint64[] memory losses = new uint64[](m.rounds + 1);
        losses[0] = 1000;
        for (uint256 n = 1; n <= m.rounds; ++n) {
            bool paid = REPOSITORY.round(id, n).money != 0;
            losses[n] = paid ? uint64(_within(uint256(keccak256(abi.encode(seed, n))), 0, 1200)) : losses[n - 1];
        }
        vm.prank(m.lender);
        REPOSITORY.settleClosing(id, losses);
    }

    function end(uint256 seed) public moving {
        (uint256 id, IModelTypes.Model memory m) = _model(seed);
        if (m.status != IModelTypes.Status.Open || _isRunning(id, m)) return;
        bool late = _now > REPOSITORY.terms(id).deadline;
        uint256 before = REPOSITORY.credit(m.lender);
        vm.prank(late ? attacker() : m.lender);
        REPOSITORY.end(id);
        modelCredited[id] += REPOSITORY.credit(m.lender) - before;
    }

    /// @notice A whole round at once: seats, time, settlement. Without it few sequences get far.
    function playRound(uint256 seed, uint256 lossSeed) external {
        uint256 models = REPOSITORY.modelCount();
        for (uint256 i = 0; i < 1 + lossSeed % 4; ++i) {
            // The same model, another data owner.
            contribute(seed % models + (seed % 4 + i) * models * 256);
        }
        (uint256 id, IModelTypes.Model memory m) = _model(seed);
        if (_currentState(id, m) == IModelTypes.RoundState.Collecting) wait(40);
        settle(seed, lossSeed);
    }

    /// @notice Training ends and is scored at once.
    function endAndScore(uint256 seed) external {
        end(seed);
        settleClosing(seed);
    }

    // ----------------------------------------------------------------------------------------------- Data owners

    function contribute(uint256 seed) public moving {
        (uint256 id, IModelTypes.Model memory m) = _model(seed);
        IModelTypes.Terms memory terms = REPOSITORY.terms(id);
        bool running = _isRunning(id, m);
        if (m.status != IModelTypes.Status.Open || (!running && _now > terms.deadline)) return;
        if (running) {
            IModelTypes.Round memory r = REPOSITORY.round(id, m.rounds);
            uint256 seats = m.rounds == 1 && terms.pilotSeats != 0 ? terms.pilotSeats : terms.seats;
            if (r.state != IModelTypes.RoundState.Collecting || r.seats == seats) return;
        }
        IModelTypes.Contribution memory c;
        c.round = running ? m.rounds : m.rounds + 1;
        c.baseWeights = m.baseWeights;
        (c.payload, c.tagRoot, c.updateDigest, c.nonce) = (_digest(), _digest(), _digest(), _digest());
        c.rows = 1;
        address from = owner(seed);
        _fund(from, terms.stake);
        vm.prank(from);
        REPOSITORY.contribute{value: terms.stake}(id, c);
        _countIn(id, terms.stake);
    }

    function withdraw(uint256 seed) external moving {
        address from = account(seed);
        uint256 due = REPOSITORY.credit(from);
        if (due == 0) return;
        vm.prank(from);
        uint256 amount = REPOSITORY.withdraw();
        vm.assertEq(amount, due, "withdrew something else than its credit");
        paidOut += amount;
    }

    // ---------------------------------------------------------------------------------------------------- Anyone

    /// @notice Claim for about half of all seats of a model.
    function claim(uint256 seed, uint256 choice) external moving {
        (uint256 id, IModelTypes.Model memory m) = _model(seed);
        for (uint256 n = 1; n <= m.rounds; ++n) {
            uint256 seats = REPOSITORY.round(id, n).seats;
            for (uint256 i = 0; i < seats; ++i) {
                choice = uint256(keccak256(abi.encode(choice)));
                if (choice % 2 == 0) claimSeat(id, n, i);
            }
        }
    }

    function failRound(uint256 seed) external moving {
        (uint256 id, IModelTypes.Model memory m) = _model(seed);
        if (_currentState(id, m) != IModelTypes.RoundState.Overdue) return;
        uint256 burned = REPOSITORY.burned();
        vm.prank(attacker());
        REPOSITORY.failRound(id);
        modelBurned[id] += REPOSITORY.burned() - burned;
    }

    function reclaim(uint256 seed) external moving {
        (uint256 id, IModelTypes.Model memory m) = _model(seed);
        if (m.status != IModelTypes.Status.Closing || _now < m.reclaimFrom) return;
        uint256 before = REPOSITORY.credit(m.lender);
        vm.prank(attacker());
        REPOSITORY.reclaim(id);
        modelCredited[id] += REPOSITORY.credit(m.lender) - before;
    }

    function wait(uint256 seconds_) public moving {
        _now += _within(seconds_, 1, 40);
        vm.warp(_now);
    }

    function waitLong(uint256 seconds_) external moving {
        if (seconds_ % 8 != 0) return;
        _now += 200;
        vm.warp(_now);
    }

    /// @notice The attacker tries what it may not do, at every moment; each attempt must be refused.
    function attack(uint256 seed, uint256 kind, uint256 number, uint256 index) external moving {
        (uint256 id, IModelTypes.Model memory m) = _model(seed);
        kind %= 10;
        if (kind == 0) return _mustFail(0, abi.encodeCall(REPOSITORY.withdraw, ()));
        if (kind == 1) return _mustFail(0, "");
        if (kind == 2) return _mustFail(0, abi.encodeCall(REPOSITORY.topUp, (id, 0, 0)));
        if (kind == 3) return _mustFail(0, abi.encodeCall(REPOSITORY.settle, (id, _settlement(id, m, seed, index))));
        if (kind == 4) {
            return _mustFail(0, abi.encodeCall(REPOSITORY.settleClosing, (id, new uint64[](m.rounds + 1))));
        }
        if (kind == 5) {
            if (m.status == IModelTypes.Status.Open && !_isRunning(id, m) && _now > REPOSITORY.terms(id).deadline) return;
            return _mustFail(0, abi.encodeCall(REPOSITORY.end, (id)));
        }
        if (kind == 6) {
            if (m.status == IModelTypes.Status.Closing && _now >= m.reclaimFrom) return;
            return _mustFail(0, abi.encodeCall(REPOSITORY.reclaim, (id)));
        }
        if (kind == 7) {
            if (_currentState(id, m) == IModelTypes.RoundState.Overdue) return;
            return _mustFail(0, abi.encodeCall(REPOSITORY.failRound, (id)));
        }
        if (m.rounds == 0) return;
        number = _within(number, 1, m.rounds);
        index = _within(index, 0, REPOSITORY.round(id, number).seats - 1);
        if (kind == 8) {
            claimSeat(id, number, index);
            return _mustFail(0, abi.encodeCall(REPOSITORY.claim, (id, number, index)));
        }
        // A contribution to a round that is over, or without its stake, or to the next one on a stale base.
        IModelTypes.Contribution memory c;
        c.round = m.rounds;
        (c.payload, c.tagRoot, c.updateDigest, c.nonce) = (_digest(), _digest(), _digest(), _digest());
        c.rows = 1;
        _mustFail(REPOSITORY.terms(id).stake, abi.encodeCall(REPOSITORY.contribute, (id, c)));
    }

    /// @dev Call as the attacker, with a purse that is full enough.
    function _mustFail(uint256 value, bytes memory data) private {
        vm.deal(attacker(), value);
        vm.prank(attacker());
        (bool done,) = address(REPOSITORY).call{value: value}(data);
        vm.assertTrue(!done, "the attacker got through");
    }

    // --------------------------------------------------------------------------------------------------- Helpers

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

    /// @notice Bring every model to its end by time alone and pay out everything, with nobody but a stranger moving.
    function finish() external {
        uint256 models = REPOSITORY.modelCount();
        for (uint256 step = 0; step < 3; ++step) {
            _now += 1000;
            vm.warp(_now);
            for (uint256 id = 1; id <= models; ++id) {
                _finishStep(id);
            }
        }
        for (uint256 id = 1; id <= models; ++id) {
            IModelTypes.Model memory m = REPOSITORY.model(id);
            vm.assertEq(uint256(m.status), uint256(IModelTypes.Status.Ended), "a model has no exit by time");
            for (uint256 n = 1; n <= m.rounds; ++n) {
                uint256 seats = REPOSITORY.round(id, n).seats;
                for (uint256 i = 0; i < seats; ++i) {
                    claimSeat(id, n, i);
                }
            }
        }
        for (uint256 i = 0; i < LENDERS + OWNERS; ++i) {
            address from = account(i);
            if (REPOSITORY.credit(from) == 0) continue;
            vm.prank(from);
            paidOut += REPOSITORY.withdraw();
        }
    }

    /// @dev Whatever anyone can do to move a model on.
    function _finishStep(uint256 id) private {
        IModelTypes.Model memory m = REPOSITORY.model(id);
        uint256 burned = REPOSITORY.burned();
        uint256 before = REPOSITORY.credit(m.lender);
        vm.prank(attacker());
        if (m.status == IModelTypes.Status.Open) {
            if (_isRunning(id, m)) REPOSITORY.failRound(id);
            else REPOSITORY.end(id);
        } else if (m.status == IModelTypes.Status.Closing) {
            REPOSITORY.reclaim(id);
        }
        modelBurned[id] += REPOSITORY.burned() - burned;
        modelCredited[id] += REPOSITORY.credit(m.lender) - before;
    }

    function _countIn(uint256 id, uint256 amount) private {
        paidIn += amount;
        modelIn[id] += amount;
    }

    function _fund(address who, uint256 amount) private {
        vm.deal(who, who.balance + amount);
    }

    function _digest() private returns (bytes32) {
        return keccak256(abi.encode(++_nonce));
    }

    function _terms(uint256 seed, uint256 bounty) private view returns (IModelTypes.Terms memory terms) {
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
    function _settlement(
        uint256 id,
        IModelTypes.Model memory m,
        uint256 seed,
        uint256 lossSeed
    )
        private
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

    function _pays(IModelTypes.Model memory m, IModelTypes.Terms memory terms, uint256 loss) private pure returns (bool) {
        if (loss <= terms.targetLoss) return true;
        if (loss >= m.best || m.best - loss < terms.minGain) return false;
        return uint256(m.left) * (m.best - loss) >= m.best - terms.targetLoss;
    }

    function _model(uint256 seed) private view returns (uint256 id, IModelTypes.Model memory m) {
        id = 1 + seed % REPOSITORY.modelCount();
        m = REPOSITORY.model(id);
    }

    function _currentState(uint256 id, IModelTypes.Model memory m) private view returns (IModelTypes.RoundState) {
        return m.rounds == 0 ? IModelTypes.RoundState.None : REPOSITORY.round(id, m.rounds).state;
    }

    function _isRunning(uint256 id, IModelTypes.Model memory m) private view returns (bool) {
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
                if (state < _lastState[id][n] || (_lastState[id][n] >= 5 && state != _lastState[id][n])) wentBack = true;
                _lastState[id][n] = state;
            }
        }
    }
}
