# Shared by the plug-in and by its proof on the host (tests/cuda_host).
set(FOVEA_CUDA_SOURCES backend.cpp jpeg/nvjpeg_decoder.cpp jpeg/nvjpeg_library.cpp ops/answers.cpp ops/block.cpp ops/block_backward.cpp ops/channels.cpp ops/convolution.cpp ops/depthwise.cpp ops/elementwise.cpp ops/linear.cpp ops/live_block.cpp ops/live_block_backward.cpp ops/norm.cpp training.cpp)
set(FOVEA_CUDA_KERNELS kernels/answers.cu kernels/channels.cu kernels/depthwise.cu kernels/elementwise.cu kernels/norm.cu kernels/pictures.cu kernels/product.cu kernels/training.cu)
set(FOVEA_CUDA_GPU_SOURCES gpu/blas_products.cpp gpu/check.cpp gpu/gpu_lane.cpp gpu/gpu_machine.cpp gpu/gpu_memory.cpp)
