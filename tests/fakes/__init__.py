"""Fakes that pass the contract suites of their ports: tests use them instead of mocks."""
