"""The audit before publication, and the weekly one."""
