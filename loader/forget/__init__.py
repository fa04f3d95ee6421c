"""Forgetting a person: erased wherever Headwater keeps data, let in no more, with a receipt."""

from loader.forget.forget import Survey, allow_again, forget, survey
from loader.forget.receipt import Receipt

__all__ = ["Receipt", "Survey", "allow_again", "forget", "survey"]
