"""A local Azure Resource Manager, written from Azure's wire contract and sharing no code with the reconciler."""
