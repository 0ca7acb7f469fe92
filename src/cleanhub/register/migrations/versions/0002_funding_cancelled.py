"""Projects say whether the public money they were awarded has been cancelled since."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is recorded says nothing of it yet."""
    op.add_column("project", sa.Column("funding_cancelled", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """There is no way back: it would lose what was recorded."""
    raise NotImplementedError("a register is never downgraded: restore a backup made before")
