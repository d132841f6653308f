"""What tests share: models, hostile files, oracles, environments."""
