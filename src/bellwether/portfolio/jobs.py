"""Jobs of the portfolio."""

from bellwether.portfolio import (
    bulk_jobs,  # noqa: F401 (declares the job that changes many clients)
    contract_jobs,  # noqa: F401 (declares the job that lets clients follow their terms)
)
