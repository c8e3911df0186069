# Journals have a disk of their own, with a throughput that a busy day does not use up.

resource "aws_kms_key" "disks" {
  description             = "Disks of hftlib's hosts"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_ebs_volume" "journals" {
  for_each = local.hosts

  availability_zone = each.value.zone
  type              = "io2"
  size              = var.journal_gib
  iops              = 16000
  encrypted         = true
  kms_key_id        = aws_kms_key.disks.arn

  tags = { Name = "hft-${each.key}-journals" }
}

resource "aws_volume_attachment" "journals" {
  for_each = local.hosts

  device_name = "/dev/sdf"
  volume_id   = aws_ebs_volume.journals[each.key].id
  instance_id = aws_instance.host[each.key].id
}
