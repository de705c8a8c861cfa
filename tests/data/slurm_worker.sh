#!/usr/bin/env bash

#SBATCH -J resim-worker
#SBATCH -n 1
#SBATCH --cpus-per-task=8
#SBATCH --mem=8G
#SBATCH -t 08:00:00

apptainer exec resim.sif python -m distributed.cli.dask_worker SCHEDULER --name dummy-name --nthreads 1 --memory-limit 0.93GiB --nworkers 8 --nanny --death-timeout 300
