"""`yizhan keep`: starts a command again when it fails, for machines that have nothing to do so."""

from deploy.keep.command import hang_on

__all__ = ["hang_on"]
