# Fovea: the compared networks in the peers' own libraries.
# SPDX-License-Identifier: Apache-2.0
"""The same architectures everywhere. Weights of PyTorch's and Keras's are random: times do not depend on them; ONNX files are
exported from the PyTorch network, so ONNX Runtime and OpenVINO run the same numbers."""
import os

NETWORKS = ("mobilenet_v2", "efficientnet_lite0", "yolo11n-cls")
LITE0 = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320))


def torch_network(name):
    if name == "mobilenet_v2":
        import torchvision

        return torchvision.models.mobilenet_v2()
    if name == "efficientnet_lite0":
        from efficientnet_lite_pytorch import EfficientNet

        return EfficientNet.from_name("efficientnet-lite0")
    import torch
    from ultralytics import YOLO

    network = YOLO(name + ".yaml").model

    class Logits(torch.nn.Module):  # in use it gives probabilities and logits
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, images):
            answer = self.network(images)
            return answer[-1] if isinstance(answer, tuple) else answer

    return Logits()


def export(network, path):
    import torch

    with torch.inference_mode():
        torch.onnx.export(network.eval(), (torch.zeros(1, 3, 224, 224),), path, dynamo=False, input_names=["image"])
    return path


def has_keras(name):
    return name in ("mobilenet_v2", "efficientnet_lite0")


def keras_network(name, weights=None):
    """weights: a safetensors file of EfficientNet-Lite0, for features that mean something."""
    import keras

    if name == "mobilenet_v2":
        return keras.applications.MobileNetV2(weights=None, classifier_activation=None)
    return keras_lite0(weights)


def keras_lite0(weights):
    import keras
    from keras import layers

    filled = []  # (layer, name of its tensors)

    def made(layer, name):
        filled.append((layer, name))
        return layer

    def convolve(x, layer, name, norm, active):
        x = made(layer, name)(x)
        x = made(layers.BatchNormalization(epsilon=1e-3), norm)(x)
        return layers.ReLU(6.0)(x) if active else x

    def dense(columns, kernel=1, stride=1):
        return layers.Conv2D(columns, kernel, stride, padding="same", use_bias=False)

    image = x = keras.Input((224, 224, 3))
    x = convolve(x, dense(32, 3, 2), "_conv_stem", "_bn0", True)
    block = 0
    for repeats, kernel, stride, expand, columns in LITE0:
        for repeat in range(repeats):
            before, at = x, f"_blocks.{block}."
            if expand > 1:
                x = convolve(x, dense(x.shape[-1] * expand), at + "_expand_conv", at + "_bn0", True)
            depthwise = layers.DepthwiseConv2D(kernel, stride if repeat == 0 else 1, padding="same", use_bias=False)
            x = convolve(x, depthwise, at + "_depthwise_conv", at + "_bn1", True)
            x = convolve(x, dense(columns), at + "_project_conv", at + "_bn2", False)
            if before.shape == x.shape:
                x = layers.Add()([before, x])
            block += 1
    x = convolve(x, dense(1280), "_conv_head", "_bn1", True)
    features = layers.GlobalAveragePooling2D(name="features")(x)
    network = keras.Model(image, made(layers.Dense(1000), "_fc")(features))
    if weights:
        fill(filled, weights)
    return network


def fill(filled, weights):
    import keras

    tensors = read_safetensors(weights)
    for layer, name in filled:
        get = lambda part: tensors[f"{name}.{part}"]
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([get("weight"), get("bias"), get("running_mean"), get("running_var")])
        elif isinstance(layer, keras.layers.Dense):
            layer.set_weights([get("weight").T, get("bias")])
        else:
            order = (2, 3, 0, 1) if isinstance(layer, keras.layers.DepthwiseConv2D) else (2, 3, 1, 0)
            layer.set_weights([get("weight").transpose(order)])


def read_safetensors(path):
    import json

    import numpy

    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    kinds = {"F16": numpy.float16, "F32": numpy.float32}
    return {name: numpy.frombuffer(data[slice(*entry["data_offsets"])], kinds[entry["dtype"]]).reshape(entry["shape"]).astype(numpy.float32)
            for name, entry in header.items() if name != "__metadata__"}


def photos_in(folder, count):
    found = []
    for where, folders, files in os.walk(folder):
        folders.sort()
        found += [os.path.join(where, name) for name in sorted(files) if name.lower().endswith((".jpg", ".jpeg", ".png"))]
    return found[:count]


def pixels(path):
    """(224, 224, 3) of 0 to 1: shorter side to 256, centre."""
    import numpy
    from PIL import Image

    with Image.open(path) as image:
        image = image.convert("RGB")
        scale = 256 / min(image.size)
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.BILINEAR)
        left, top = (image.width - 224) // 2, (image.height - 224) // 2
        return numpy.asarray(image.crop((left, top, left + 224, top + 224)), numpy.float32) / 255


def batch_of(folder, count, size=224):
    """(count, size, size, 3) of 0 to 1: the folder's first photos again and again; without a folder made-up pixels."""
    import numpy

    if folder is None:
        return numpy.random.default_rng(1).random((count, size, size, 3), numpy.float32)
    photos = photos_in(folder, count)
    return numpy.stack([pixels(photos[i % len(photos)]) for i in range(count)])
