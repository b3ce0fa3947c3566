// SPDX-License-Identifier: Apache-2.0
// A program of nothing but the headers that all tests share (cmake/FoveaLayer.cmake).
int main() {}
