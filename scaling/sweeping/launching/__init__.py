"""Support launchers that use other engines (SLURM by submitit, Ray), and mirror runs to trackers."""
