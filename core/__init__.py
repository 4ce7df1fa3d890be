"""The science of Consonance, without a window: read, extract, predict, train."""
