"""Gates say since when they are under way."""

import sqlalchemy as sa
from alembic import op

from cleanhub.register.errors import refuse_downgrade

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is recorded says nothing of it yet."""
    op.add_column("gate", sa.Column("begun_on", sa.Text(), nullable=True))


downgrade = refuse_downgrade
