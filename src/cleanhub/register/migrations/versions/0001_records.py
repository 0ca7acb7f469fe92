"""The first schema: fifteen kinds of record, their events, and triggers that keep the history whole.

The columns stand here and not in the code that reads them, because a released step never changes.
Each line is: column, type, ``filled`` where it may not be empty, ``-> kind`` where it refers to one.
"""

import sqlalchemy as sa
from alembic import op

from cleanhub.register.errors import refuse_downgrade

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TYPES = {"text": sa.Text, "number": sa.Double, "whole": sa.BigInteger, "truth": sa.Boolean}

KINDS = {
    "project": """
        hub text filled
        project_id text filled
        name text filled
        developer text
        sector text filled
        technology_text text
        technology text
        asset_id text
        city text
        county text
        lat number
        lon number
        coord_precision text
        capacity number
        capacity_unit text
        capacity_of text
        capex_usd number
        capex_year whole
        public_funding_usd number
        funding_source text
        announced_year whole
        online_year whole
        stage text filled
        stage_as_published text
        gates_done text
        co2e_t_per_year number
        role text filled
        role_secondary text
        part_of text
        supplied_by text
        evidence_year whole
        source_id text
        confidence text
        note text
        private truth filled
        owner text
        withdrawn truth filled
    """,
    "gate": """
        hub text filled
        project text filled -> project
        gate text filled
        status text filled
        owner text
        due text
        done_on text
        note text
        withdrawn truth filled
    """,
    "actor": """
        hub text filled
        name text filled
        kind text filled
        organisation text
        contact text
        note text
        withdrawn truth filled
    """,
    "convening": """
        hub text filled
        project text -> project
        title text filled
        date text filled
        place text
        purpose text
        note text
        withdrawn truth filled
    """,
    "participant": """
        hub text filled
        project text -> project
        convening text filled -> convening
        actor text -> actor
        name text filled
        role text filled
        note text
        withdrawn truth filled
    """,
    "pain_point": """
        hub text filled
        project text -> project
        convening text -> convening
        gate text -> gate
        barrier text filled
        what text filled
        raised_by text
        note text
        withdrawn truth filled
    """,
    "decision": """
        hub text filled
        project text -> project
        convening text -> convening
        gate text -> gate
        what text filled
        date text filled
        decided_by text filled
        note text
        withdrawn truth filled
    """,
    "follow_up": """
        hub text filled
        project text -> project
        convening text -> convening
        gate text -> gate
        what text filled
        owner text filled
        due text filled
        status text filled
        done_on text
        note text
        withdrawn truth filled
    """,
    "evidence": """
        hub text filled
        project text -> project
        gate text -> gate
        about text
        what text filled
        date text filled
        source text filled
        confidence text filled
        note text
        withdrawn truth filled
    """,
    "commitment": """
        hub text filled
        actor text filled
        platform text
        sector text
        metric text filled
        base_year whole
        year whole filled
        low number
        value number filled
        high number
        unit text filled
        asset_id text
        source_id text
        confidence text
        note text
        withdrawn truth filled
    """,
    "agreement": """
        hub text filled
        project text -> project
        title text filled
        kind text filled
        community text filled
        status text filled
        signed_on text
        ends_on text
        terms text
        source text
        note text
        withdrawn truth filled
    """,
    "agreement_step": """
        hub text filled
        project text -> project
        agreement text filled -> agreement
        what text filled
        owner text
        date text filled
        status text filled
        note text
        withdrawn truth filled
    """,
    "contested_number": """
        hub text filled
        project text -> project
        where_shown text filled
        key text
        shown text filled
        claim text filled
        raised_by text filled
        status text filled
        source text
        note text
        withdrawn truth filled
    """,
    "answer": """
        hub text filled
        project text -> project
        contested_number text filled -> contested_number
        what text filled
        answered_by text filled
        date text filled
        changed truth filled
        source text
        note text
        withdrawn truth filled
    """,
    "membership": """
        hub text filled
        project text -> project
        login text filled
        role text filled
        note text
        withdrawn truth filled
    """,
}

EVENT = (
    *("kind", "id", "version", "action", "at", "actor", "before", "after"),
    *("reason", "source", "basis", "prev_hash", "hash"),
)


def upgrade() -> None:
    """Make all tables and triggers."""
    for kind, lines in KINDS.items():
        columns = [_column(line) for line in lines.split("\n") if line.strip()]
        op.create_table(
            kind,
            sa.Column("id", sa.Text(), primary_key=True),
            sa.Column("version", sa.BigInteger(), nullable=False),
            *columns,
        )
        for column in columns:
            if column.foreign_keys:
                op.create_index(f"ix_{kind}_{column.name}", kind, [column.name])
    op.create_table(
        "event",
        *(
            sa.Column(
                name,
                sa.BigInteger() if name == "version" else sa.Text(),
                primary_key=name in ("kind", "id", "version"),
                autoincrement=False,
                nullable=False,
            )
            for name in EVENT
        ),
    )
    if op.get_bind().dialect.name == "sqlite":
        _sqlite_triggers()
    else:
        _postgresql_triggers()


downgrade = refuse_downgrade


def _column(line: str) -> sa.Column[object]:
    name, kind, *rest = line.split()
    key = [sa.ForeignKey(f"{rest[-1]}.id")] if "->" in rest else []
    return sa.Column(name, TYPES[kind](), *key, nullable="filled" not in rest)


def _sqlite_triggers() -> None:
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER event_no_{action.lower()} BEFORE {action} ON event "
            "BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END"
        )
    for kind in KINDS:
        recorded = (
            f"EXISTS (SELECT 1 FROM event WHERE kind = '{kind}' AND id = NEW.id AND version = NEW.version)"
        )
        op.execute(
            f"CREATE TRIGGER {kind}_insert BEFORE INSERT ON {kind} WHEN NOT {recorded} "
            "BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END"
        )
        op.execute(
            f"CREATE TRIGGER {kind}_update BEFORE UPDATE ON {kind} "
            f"WHEN NEW.id <> OLD.id OR NEW.version <> OLD.version + 1 OR NOT {recorded} "
            "BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END"
        )
        op.execute(
            f"CREATE TRIGGER {kind}_delete BEFORE DELETE ON {kind} "
            "BEGIN SELECT RAISE(ABORT, 'records are withdrawn, never deleted'); END"
        )


def _postgresql_triggers() -> None:
    op.execute(
        """
        CREATE FUNCTION cleanhub_keep_event() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'events are only ever added';
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION cleanhub_keep_record() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP IN ('DELETE', 'TRUNCATE') THEN
                RAISE EXCEPTION 'records are withdrawn, never deleted';
            END IF;
            IF TG_OP = 'UPDATE' AND (NEW.id <> OLD.id OR NEW.version <> OLD.version + 1) THEN
                RAISE EXCEPTION 'a record needs its event first';
            END IF;
            IF NOT EXISTS (
                SELECT 1 FROM event WHERE kind = TG_TABLE_NAME AND id = NEW.id AND version = NEW.version
            ) THEN
                RAISE EXCEPTION 'a record needs its event first';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER event_keep BEFORE UPDATE OR DELETE ON event "
        "FOR EACH ROW EXECUTE FUNCTION cleanhub_keep_event()"
    )
    op.execute(
        "CREATE TRIGGER event_keep_all BEFORE TRUNCATE ON event "
        "FOR EACH STATEMENT EXECUTE FUNCTION cleanhub_keep_event()"
    )
    for kind in KINDS:
        op.execute(
            f"CREATE TRIGGER {kind}_keep BEFORE INSERT OR UPDATE OR DELETE ON {kind} "
            "FOR EACH ROW EXECUTE FUNCTION cleanhub_keep_record()"
        )
        op.execute(
            f"CREATE TRIGGER {kind}_keep_all BEFORE TRUNCATE ON {kind} "
            "FOR EACH STATEMENT EXECUTE FUNCTION cleanhub_keep_record()"
        )
