"""The apps' services as fakes: they give the examples, remember what was asked, and fail when told to."""

from types import SimpleNamespace

from chain_common.ports import Job
from chain_common.services.data_owner.views import ContributionsView
from chain_common.state_errors import UnknownJob
from tests.web import examples as ex

STEPS = (
    "Make the model's keys",
    "Encrypt the first weights",
    "Publish spec and weights",
    "Escrow bounty and bond",
)


def a_job(key, state="running", **data):
    step = len(STEPS) if state == "done" else 2
    title = data.pop("title", f"Job {key}")
    failure = "The chain is away." if state == "failed" else ""
    return Job(1, "kind", key, state, STEPS, step, 0.5, "", failure, 1, 0.0, 0.0, 0.0, {"title": title, **data})


class FakeJobs:
    def __init__(self) -> None:
        self.known = {}
        self.retried = []

    def get(self, key):
        return self.known.get(key)

    def retry(self, key):
        if key not in self.known:
            raise UnknownJob(key)
        self.retried.append(key)
        self.known[key] = a_job(key, "waiting")
        return self.known[key]

    def add(self, key, state="running", **data):
        self.known[key] = a_job(key, state, **data)
        return self.known[key]


class Service:
    """Answers by name from ``gives``, raises by name from ``fails``, notes calls in ``asked``."""

    def __init__(self, gives, fails, asked, name) -> None:
        self._gives, self._fails, self._asked, self._name = gives, fails, asked, name

    def __getattr__(self, method):
        if method.startswith("__") or method not in self._gives:
            raise AttributeError(method)

        def call(*args, **kwargs):
            full = f"{self._name}.{method}"
            self._asked.append((full, args, kwargs))
            if full in self._fails:
                raise self._fails[full]
            given = self._gives[method]
            return given(*args, **kwargs) if callable(given) else given

        return call


class _Parts:
    def __init__(self, keyring, clock) -> None:
        self.keyring, self.clock = keyring, clock
        self.secret_key, self.hosts, self.upload_limit_bytes = b"s" * 32, (), 300_000
        self.fails, self.asked, self.jobs = {}, [], FakeJobs()
        self.vitals = ex.VITALS

    def service(self, service_name, **gives):
        return Service(gives, self.fails, self.asked, service_name)

    def account(self):
        return self.service(
            "account",
            view=ex.ACCOUNT,
            vitals=lambda: self.vitals,
            withdraw=lambda: self.jobs.add("withdraw.1", title="Withdraw"),
        )

    def last(self, name):
        return next((args, kwargs) for full, args, kwargs in reversed(self.asked) if full == name)


class LenderParts(_Parts):
    """What ``company_app.create_app`` is given."""

    def __init__(self, keyring, clock) -> None:
        super().__init__(keyring, clock)
        models = {3: ex.MODEL, 5: ex.FRESH_MODEL, 7: ex.ENDED_MODEL}
        self.overview = ex.OVERVIEW
        self.cards = tuple(view.card for view in models.values())
        self.review, self.draft, self.keys_held = ex.REVIEW, ex.DRAFT, ex.KEYS

        def act(name):
            return lambda model_id, *_, **__: self.jobs.add(f"{name}.{model_id}", title=name)

        self.lender = SimpleNamespace(
            world=SimpleNamespace(jobs=self.jobs),
            account=self.account(),
            bounties=self.service(
                "bounties",
                preset_names=[
                    ("lending-club-compact", "Lending Club, compact"),
                    ("lending-club", "Lending Club"),
                ],
                read_file="ab12",
                draft=lambda _id: self.draft,
                choose=lambda *_: self.draft,
                review=lambda _id: self.review,
                discard=None,
                publish_key=lambda draft_id: f"publish.{draft_id}",
                publish=lambda draft_id: self.jobs.add(f"publish.{draft_id}", title="Post the bounty"),
            ),
            models=self.service(
                "models",
                overview=lambda: self.overview,
                cards=lambda: self.cards,
                view=lambda model_id: models[model_id],
                end=act("end"),
                reclaim=act("reclaim"),
                top_up=act("top-up"),
                fail_round=act("fail-round"),
            ),
            keys=self.service("keys", views=lambda: self.keys_held),
            backups=self.service("backups", make=b"chKB...", restore="Consumer loans"),
        )


class OwnerParts(_Parts):
    """What ``data_owner_app.create_app`` is given."""

    def __init__(self, keyring, clock) -> None:
        super().__init__(keyring, clock)
        models = {3: ex.MODEL, 5: ex.FRESH_MODEL, 7: ex.ENDED_MODEL}
        mine = {view.contribution_id: view for view in (ex.CONTRIBUTION, ex.COMPUTING, ex.REJECTED)}
        self.cards = tuple(view.card for view in models.values())
        self.draft = ex.CONTRIBUTION_DRAFT
        self.contributions = ContributionsView(tuple(mine.values()), 142 * 10**15, 184 * 10**15, 140_625 * 10**12)
        self.data_owner = SimpleNamespace(
            world=SimpleNamespace(jobs=self.jobs),
            account=self.account(),
            market=self.service(
                "market",
                cards=lambda: self.cards,
                view=lambda model_id: models[model_id],
                fail_round=lambda model_id: self.jobs.add(f"fail-round.{model_id}", title="Fail the round"),
            ),
            files=self.service("files", read="fe98", draft=lambda _id: self.draft, discard=None),
            contributing=self.service("contributing", confirm="c2"),
            contributions=self.service(
                "contributions",
                view=lambda: self.contributions,
                one=lambda contribution_id: mine[contribution_id],
                claim=lambda contribution_id: self.jobs.add(f"claim.{contribution_id}", title="Claim"),
            ),
        )
