import { expect, it } from "vitest";
import { Writer } from "../../../src/engine/backends/onnxruntime/protobuf.ts";

it("fields and nested messages are the bytes that the encoding guide gives", () => {
  // https://protobuf.dev/programming-guides/encoding: 150 is 08 96 01, "testing" in field 2 is 12 07 …, a message in field 3 is 1a 03 …
  expect([...new Writer().int(1, 150).finish()]).toEqual([0x08, 0x96, 0x01]);
  expect([...new Writer().text(2, "testing").finish()]).toEqual([0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]);
  expect([...new Writer().message(3, new Writer().int(1, 150)).finish()]).toEqual([0x1a, 0x03, 0x08, 0x96, 0x01]);
  expect([...new Writer().int(1, -2).finish()]).toEqual([0x08, 0xfe, ...Array(8).fill(0xff), 0x01]); // ten bytes, two's complement
  expect([...new Writer().float(2, 1).finish()]).toEqual([0x15, 0, 0, 0x80, 0x3f]);
});

it("weights between small fields, two messages deep, are where they belong, in one buffer of exactly the size", () => {
  const weights = new Uint8Array(70_000).map((_, i) => i % 251);
  const tensor = new Writer().text(8, "w").data(9, weights).int(2, 1);
  const model = new Writer().int(1, 8).message(7, new Writer().message(5, tensor).text(2, "g")).int(1, 9).finish();
  // 70,000 is f0 a2 04; the tensor is 3 + 4 + 70,000 + 2 = 70,009 bytes (f9 a2 04), the graph 4 + 70,009 + 3 = 70,016 (80 a3 04).
  const front = [0x08, 8, 0x3a, 0x80, 0xa3, 0x04, 0x2a, 0xf9, 0xa2, 0x04, 0x42, 1, 0x77, 0x4a, 0xf0, 0xa2, 0x04];
  expect([...model]).toEqual([...front, ...weights, 0x10, 1, 0x12, 1, 0x67, 0x08, 9]);
  expect(model.buffer.byteLength).toBe(front.length + 70_000 + 7);
});
