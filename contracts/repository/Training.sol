// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModelRepository} from "../interfaces/IModelRepository.sol";
import {Digests} from "../libraries/Digests.sol";
import {RewardMath} from "../libraries/RewardMath.sol";
import {TermBounds} from "../libraries/TermBounds.sol";
import {ModelStorage} from "./ModelStorage.sol";

/// @title From a bounty to the last round
/// @notice Creating a model, contributing to it, and the two ways training ends without a settlement.
abstract contract Training is ModelStorage {
    /// @inheritdoc IModelRepository
    function createModel(
        uint256 bounty,
        uint256 bond,
        Publication memory publication,
        Terms memory modelTerms
    ) external payable override returns (uint256 modelId) {
        // Check
        TermBounds.checkAmounts(bounty, bond);
        if (msg.value != bounty + bond) revert WrongValue(msg.value, bounty + bond);
        TermBounds.check(modelTerms);
        TermBounds.checkDeposits(modelTerms, bounty);
        TermBounds.checkDigests(publication, modelTerms.closingSharePpm);

        // Effect
        ModelRecord storage m;
        (modelId, m) = _newModel();
        m.head.lender = msg.sender;
        m.head.status = Status.Open;
        m.progress.best = modelTerms.initialLoss;
        // Safe casts: both amounts are below 2^120.
        m.funds.left = uint128(bounty);
        m.escrow = Escrow({bounty: uint128(bounty), bond: uint128(bond)});
        m.terms = modelTerms;
        m.spec = publication.spec;
        m.scoringCommitment = publication.scoringCommitment;
        m.closingCommitment = publication.closingCommitment;
        m.bases[0] = Base({weights: publication.baseWeights, commitment: publication.weightsCommitment});
        emit ModelCreated(modelId, msg.sender, publication.spec, bounty, bond, publication, modelTerms);
    }

    /// @inheritdoc IModelRepository
    function topUp(uint256 modelId, uint256 bounty, uint256 bond) external payable override {
        // Check
        ModelRecord storage m = _open(modelId);
        if (msg.sender != m.head.lender) revert NotLender(modelId, msg.sender);
        TermBounds.checkAdded(bounty, bond);
        uint256 newBounty = m.escrow.bounty + bounty;
        uint256 newBond = m.escrow.bond + bond;
        TermBounds.checkAmounts(newBounty, newBond);
        if (msg.value != bounty + bond) revert WrongValue(msg.value, bounty + bond);

        // Effect
        // Safe casts: both sums are below 2^120.
        m.escrow = Escrow({bounty: uint128(newBounty), bond: uint128(newBond)});
        m.funds.left += uint128(bounty);
        emit ToppedUp(modelId, msg.sender, bounty, bond);
    }

    /// @inheritdoc IModelRepository
    function contribute(uint256 modelId, Contribution calldata contribution)
        external
        payable
        override
        returns (uint256 index)
    {
        // Check
        ModelRecord storage m = _open(modelId);
        if (msg.value != m.terms.stake) revert WrongValue(msg.value, m.terms.stake);
        (uint256 number, uint256 taken) = _roundToContributeTo(modelId, m);
        if (contribution.round != number) revert RoundMismatch(modelId, contribution.round, number);
        bytes32 base = m.bases[m.head.paidRound].weights;
        if (contribution.baseWeights != base) revert StaleBase(contribution.baseWeights, base);
        _checkContribution(contribution);

        // Effect
        _useTagRoot(modelId, msg.sender, contribution.tagRoot);
        RoundRecord storage r = m.rounds[number];
        if (taken == 0) _openRound(modelId, m, r.head, number, base);
        SeatRecord storage s = r.seats[taken];
        s.owner = msg.sender;
        s.stake = uint96(msg.value);
        s.commitment = keccak256(abi.encode(contribution));
        emit Contributed(modelId, number, msg.sender, taken, msg.value, contribution);
        _takeSeat(modelId, m.terms, r.head, number, taken + 1);
        return taken;
    }

    /// @inheritdoc IModelRepository
    function failRound(uint256 modelId) external override {
        // Check
        ModelRecord storage m = _open(modelId);
        uint256 number = m.head.rounds;
        RoundHead storage head = m.rounds[number].head;
        RoundState state = _stateOf(m.terms, number, head);
        if (state != RoundState.Overdue) revert RoundNotOverdue(modelId, number, state);

        // Effect
        uint256 seats = m.head.seatsTotal + head.seats;
        uint256 forfeit = uint256(m.escrow.bond) + m.funds.left + m.funds.held;
        (uint256 each, uint256 burning) = RewardMath.shareForfeit(forfeit, seats);
        head.outcome = Outcome.Failed;
        m.head.finished = uint8(number);
        m.head.seatsTotal = uint16(seats);
        m.escrow.bond = 0;
        m.funds = Funds({left: 0, held: 0});
        m.compensation = each;
        m.head.failed = true;
        _burn(burning);
        emit RoundFailed(modelId, number, each, burning);
        _endTraining(modelId, m);
    }

    /// @inheritdoc IModelRepository
    function end(uint256 modelId) external override {
        // Check
        ModelRecord storage m = _open(modelId);
        address lender = m.head.lender;
        if (msg.sender != lender && block.timestamp <= m.terms.deadline) {
            revert NotLender(modelId, msg.sender);
        }
        uint256 number = m.head.rounds;
        if (_isRunning(m)) revert RoundRunning(modelId, number);

        // Effect
        if (number == 0) {
            _endModel(modelId, m);
        } else {
            _endTraining(modelId, m);
        }
    }

    /// @dev Let a model close. Money is held only if a round had some, so a model without any, and a failed
    /// one, has nothing to score and can be reclaimed after the audit window.
    function _endTraining(uint256 modelId, ModelRecord storage m) internal {
        m.head.status = Status.Closing;
        Progress memory progress = m.progress;
        uint256 scoredBy = block.timestamp;
        if (m.funds.held != 0) {
            scoredBy += m.terms.closingWindow;
            progress.closingBy = uint40(scoredBy);
        }
        progress.reclaimFrom = uint40(scoredBy + m.terms.auditDemandWindow + 1);
        m.progress = progress;
        emit TrainingEnded(modelId, progress.best, progress.closingBy);
    }

    /// @dev End a model and credit its lender with what is left. Held halves stay for their seats.
    function _endModel(uint256 modelId, ModelRecord storage m) internal {
        address lender = m.head.lender;
        uint256 returned = uint256(m.funds.left) + m.escrow.bond;
        m.head.status = Status.Ended;
        m.funds.left = 0;
        m.escrow.bond = 0;
        _credit(lender, returned);
        emit Ended(modelId, lender, returned);
    }

    /// @dev Record a new round, collecting from now on.
    function _openRound(
        uint256 modelId,
        ModelRecord storage m,
        RoundHead storage head,
        uint256 number,
        bytes32 base
    ) private {
        uint256 closesBy = block.timestamp + m.terms.collectWindow;
        // Safe casts: training ends with the last of at most 16 rounds, and 40 bits hold the times of 34,000
        // years.
        m.head.rounds = uint8(number);
        head.openedAt = uint40(block.timestamp);
        head.closesBy = uint40(closesBy);
        head.paidRound = m.head.paidRound;
        emit RoundOpened(modelId, number, base, closesBy);
    }

    /// @dev Count the seats taken, and close the round if it closes with its last one.
    function _takeSeat(
        uint256 modelId,
        Terms storage rules,
        RoundHead storage head,
        uint256 number,
        uint256 taken
    ) private {
        // Safe casts: a round has at most 16 seats; block time as above.
        head.seats = uint8(taken);
        if (rules.closeWhenFull && taken == _seatsOf(rules, number)) {
            head.closesBy = uint40(block.timestamp);
            uint256 deliverBy = block.timestamp + rules.deliverWindow;
            emit RoundClosed(modelId, number, deliverBy, deliverBy + rules.settleWindow);
        }
    }

    /// @dev The running round if it collects and has a seat, else the next one if it may be opened; and the seats
    /// taken in it, zero exactly if it is not open yet.
    function _roundToContributeTo(uint256 modelId, ModelRecord storage m)
        private
        view
        returns (uint256 number, uint256 taken)
    {
        number = m.head.rounds;
        if (!_isRunning(m)) {
            if (block.timestamp > m.terms.deadline) revert DeadlinePassed(modelId, m.terms.deadline);
            return (number + 1, 0);
        }
        RoundHead storage head = m.rounds[number].head;
        RoundState state = _stateOf(m.terms, number, head);
        if (state != RoundState.Collecting) revert RoundNotCollecting(modelId, number, state);
        taken = head.seats;
        uint256 seats = _seatsOf(m.terms, number);
        if (taken == seats) revert RoundFull(modelId, number, seats);
    }

    /// @dev Refuse a contribution that commits to nothing.
    function _checkContribution(Contribution calldata contribution) private pure {
        Digests.mustExist(contribution.payload, "payload");
        Digests.mustExist(contribution.tagRoot, "tagRoot");
        Digests.mustExist(contribution.updateDigest, "updateDigest");
        Digests.mustExist(contribution.nonce, "nonce");
        if (contribution.rows == 0) revert NoRows();
    }
}
