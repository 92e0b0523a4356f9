# docker build --tag rflo-repro . && docker run --volume "$PWD/out:/out" rflo-repro fig2 --scale quick
FROM python:3.13-slim
COPY . /rflo-repro
WORKDIR /rflo-repro
RUN python -m pip install --no-cache-dir --require-hashes -r requirements.lock \
    && python -m pip install --no-cache-dir --no-deps --no-build-isolation .
# compiled kernels are kept between two runs that share this volume
ENV NUMBA_CACHE_DIR=/out/kernels
WORKDIR /out
ENTRYPOINT ["rflo-repro"]
