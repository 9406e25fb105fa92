/**
 * The bytes of an ONNX file of a kilobyte, made by torch.onnx.export (PyTorch 1.13, opset 13, seed 1): Conv2d(3, 4, 3), ReLU, average over the
 * picture, Linear(4, 3) on pictures of 3×16×16.
 */
export const tinyOnnx = (): Buffer =>
  Buffer.from(
    [
      "CAcSB3B5dG9yY2gaBjEuMTMuMDqECQqYAQoFaW1hZ2UKCDAud2VpZ2h0CgYwLmJpYXMSEC8wL0NvbnZfb3V0cHV0XzAaBy8wL0NvbnYiBENvbnYqEgoJZGls",
      "YXRpb25zQAFAAaABByoMCgVncm91cBgBoAECKhUKDGtlcm5lbF9zaGFwZUADQAOgAQcqEQoEcGFkc0AAQABAAEAAoAEHKhAKB3N0cmlkZXNAAUABoAEHCjMK",
      "EC8wL0NvbnZfb3V0cHV0XzASEC8xL1JlbHVfb3V0cHV0XzAaBy8xL1JlbHUiBFJlbHUKWgoQLzEvUmVsdV9vdXRwdXRfMBIdLzIvR2xvYmFsQXZlcmFnZVBv",
      "b2xfb3V0cHV0XzAaFC8yL0dsb2JhbEF2ZXJhZ2VQb29sIhFHbG9iYWxBdmVyYWdlUG9vbApWCh0vMi9HbG9iYWxBdmVyYWdlUG9vbF9vdXRwdXRfMBITLzMv",
      "RmxhdHRlbl9vdXRwdXRfMBoKLzMvRmxhdHRlbiIHRmxhdHRlbioLCgRheGlzGAGgAQIKbgoTLzMvRmxhdHRlbl9vdXRwdXRfMAoINC53ZWlnaHQKBjQuYmlh",
      "cxIGc2NvcmVzGgcvNC9HZW1tIgRHZW1tKg8KBWFscGhhFQAAgD+gAQEqDgoEYmV0YRUAAIA/oAEBKg0KBnRyYW5zQhgBoAECEgl0b3JjaF9qaXQqxwMIBAgD",
      "CAMIAxABQggwLndlaWdodEqwA68Vyz2+9q2999AYvfz+uD0mhzm+CV/sPRIrIr3jg8g92irbPBsKwbwIo1o9VIwbPELzjz2MmJm9h+NlvMXujbz1guQ8j4lJ",
      "umVFLD63TXU9hceSvUML7r2YIAS99gGqvQyafL3A+RY82/TqPXQ61j0WpUC+h1X0PTk3XD1H7jo+xxMCPpGOM77wXzu+9hq+vWsMLT5iTQO9zKyoPQwpt70X",
      "XkE+U8KmvW/JEz4PWhU7f6PPvbmXyj1eN9G95tVnPcmeY70g2Ky8rnU9vu7qu71h39U9pJw/vVZKRD7Y9x0+waMTvEiKA77XA/A9nKV0PUnH/r1KAQA+IUjv",
      "PYfHLj4P8Ny9P8EBvW9TdLthROY8J48VvjHYC76qadY9Itg4vZ2GwD0XwjM8wWmBPThVLT3rTo892mDDPQSCNr7MY8Y9UJAKvrSwFL4EwT887FMGvZF85z1e",
      "QuS90TAvvqxrDz4cxum8hq/dPR5rfT3wxhO+/FwePVJXPT3+8gO+6QG7vTJkhj2sMg09yaenvaGfbr3zfTQ+B9kRvSs23j21qao9Asb+vdyXJ74JKj0+EqUk",
      "PCoeCAQQAUIGMC5iaWFzShAcFQc+/1ojPQCHfT3KMxM+KkIIAwgEEAFCCDQud2VpZ2h0SjAyvvI+cuCpvpgHgD24Cr8+lHS5PnwJnz6kRbm+wFi4vlDSmr64",
      "pIA9biX/Pn61ob4qGggDEAFCBjQuYmlhc0oM4mqIPmaxjb76sfC+Wh8KBWltYWdlEhYKFAgBEhAKAggBCgIIAwoCCBAKAggQYhgKBnNjb3JlcxIOCgwIARII",
      "CgIIAQoCCANCAhAN",
    ].join(""),
    "base64",
  );
