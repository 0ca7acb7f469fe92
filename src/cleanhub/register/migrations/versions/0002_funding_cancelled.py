"""Projects say whether the public money they were awarded has been cancelled since."""

import sqlalchemy as sa
from alembic import op

from cleanhub.register.errors import refuse_downgrade

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is recorded says nothing of it yet."""
    op.add_column("project", sa.Column("funding_cancelled", sa.Boolean(), nullable=True))


downgrade = refuse_downgrade
