"""What is wrong with a contract itself.

Belongs here: the error of a contract that Shoplake cannot keep. Does not belong here: rows that break a contract.
"""


class ContractError(TypeError):
    """A contract says something that Shoplake cannot keep; raised when the contract is imported."""
