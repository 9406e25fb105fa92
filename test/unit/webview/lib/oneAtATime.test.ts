import { expect, it } from "vitest";
import { oneAtATime } from "../../../../webview/lib/oneAtATime.ts";

it("sends the newest of what is wanted when the request before it has been answered", () => {
  const sent: number[] = [];
  const requests = oneAtATime<number>((value) => sent.push(value));
  requests.want(1);
  requests.want(2);
  requests.want(3);
  expect(sent).toEqual([1]);
  requests.answered(7); // of an earlier panel
  expect(sent).toEqual([1]);
  requests.answered(1);
  expect(sent).toEqual([1, 3]);
  requests.answered(3);
  requests.answered(3);
  expect(sent).toEqual([1, 3]);
  requests.want(3); // asked for again: the run folder may be another one
  expect(sent).toEqual([1, 3, 3]);
});
