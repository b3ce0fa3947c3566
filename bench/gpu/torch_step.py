# Fovea: what PyTorch takes for a step of training: channels last, mixed precision, compiled. Run by prove.py.
# SPDX-License-Identifier: Apache-2.0
"""torch_step.py ARCH BATCH frozen|live: a line of JSON for the plain network, then one for the compiled one."""
import json
import sys
import time

import torch

STEPS = 20


def network(arch):
    if arch == "mobilenet_v2":
        import torchvision
        return torchvision.models.mobilenet_v2()
    if arch == "efficientnet_lite0":
        import timm
        return timm.create_model("efficientnet_lite0")
    from ultralytics.nn.tasks import ClassificationModel
    return ClassificationModel(arch + ".yaml", nc=1000, verbose=False)


def main():
    arch, batch, norm = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    model = network(arch).cuda().to(memory_format=torch.channels_last).train()
    if norm == "frozen":
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-6, fused=True)
    images = torch.randn(batch, 3, 224, 224, device="cuda").to(memory_format=torch.channels_last)
    labels = torch.randint(0, 1000, (batch,), device="cuda")

    def step(forward):
        with torch.autocast("cuda", torch.bfloat16):
            answer = forward(images)
            loss = torch.nn.functional.cross_entropy(answer[0] if isinstance(answer, (tuple, list)) else answer, labels)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    for kind in ("plain", "compiled"):
        forward = model if kind == "plain" else torch.compile(model)
        for _ in range(4):
            step(forward)
        torch.cuda.synchronize()
        begin = time.perf_counter()
        for _ in range(STEPS):
            step(forward)
        torch.cuda.synchronize()
        rate = batch * STEPS / (time.perf_counter() - begin)
        print(json.dumps({"torch": torch.__version__, "kind": kind, "images_per_second": rate}), flush=True)


if __name__ == "__main__":
    main()
