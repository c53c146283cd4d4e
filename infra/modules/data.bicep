// Where data, state and models lie. Two accounts: training code, which anyone with a merged pull request may change, writes to the
// workspace's own and to one container of Upkeep's, never to its decisions.

import { Size } from 'sizes.bicep'
import { Names, containers } from 'names.bicep'

param location string
param tags object
param names Names
param size Size
param privateNetwork bool

module storage 'storage-account.bicep' = {
  name: 'storage'
  params: {
    name: names.storage
    location: location
    tags: tags
    sku: size.storageSku
    deletedDays: size.deletedDays
    versioning: size.versioning
    privateNetwork: privateNetwork
    lock: size.lock
  }
}

module workspaceStorage 'storage-account.bicep' = {
  name: 'workspace-storage'
  params: {
    name: names.workspaceStorage
    location: location
    tags: tags
    sku: size.storageSku
    deletedDays: size.deletedDays
    versioning: false
    privateNetwork: privateNetwork
    lock: size.lock
  }
}

module boxes 'containers.bicep' = {
  name: 'containers'
  params: {
    accountName: storage.outputs.name
    packageContainer: containers.package
    deadLetterContainer: containers.deadLetters
  }
}

module lifecycle 'lifecycle.bicep' = {
  name: 'lifecycle'
  params: {
    accountName: storage.outputs.name
    deadLetterContainer: containers.deadLetters
    versionDays: size.deletedDays
  }
}

output storageId string = storage.outputs.id
// By way of the containers: who assigns a role on one must come after them.
output storageName string = boxes.outputs.accountName
output blobService string = storage.outputs.blobService
output queueService string = storage.outputs.queueService
output tableService string = storage.outputs.tableService
output workspaceStorageId string = workspaceStorage.outputs.id
output workspaceStorageName string = workspaceStorage.outputs.name
