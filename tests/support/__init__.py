"""What tests of several rooms share: real servers, and waiting without sleeping blindly."""
