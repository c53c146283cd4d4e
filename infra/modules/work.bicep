// The app and everything that wakes it: its plan and settings, its rights, Event Grid's topics and subscriptions, people's rights.

import { Size } from 'sizes.bicep'
import { Names, containers } from 'names.bicep'

param location string
param token string
param tags object
param stage string
param size Size
param names Names
param principalId string
param principalType string
param uploadersGroupId string
param privateNetwork bool
param appSubnetId string
param callerRanges string[]
param zoneRedundant bool
param sweepSchedule string
param emails string

module appRoles 'app-roles.bicep' = {
  name: 'app-roles'
  params: {
    names: names
  }
}

// After its roles: the host reads its package and its secrets from storage when it starts.
module app 'app.bicep' = {
  name: 'app'
  params: {
    location: location
    token: token
    tags: tags
    stage: stage
    size: size
    names: names
    packageContainer: containers.package
    privateNetwork: privateNetwork
    subnetId: appSubnetId
    callerRanges: callerRanges
    zoneRedundant: zoneRedundant
    sweepSchedule: sweepSchedule
  }
  dependsOn: [
    appRoles
  ]
}

module topics 'event-topics.bicep' = {
  name: 'event-topics'
  params: {
    location: location
    tags: tags
    names: names
  }
}

module eventRoles 'event-roles.bicep' = {
  name: 'event-roles'
  params: {
    storageName: names.storage
    deadLetterContainer: containers.deadLetters
    uploadsPrincipalId: topics.outputs.storagePrincipalId
    workspacePrincipalId: topics.outputs.workspacePrincipalId
  }
}

module subscriptions 'event-subscriptions.bicep' = {
  name: 'event-subscriptions'
  params: {
    storageName: names.storage
    deadLetterContainer: containers.deadLetters
    storageTopicName: topics.outputs.storageTopicName
    workspaceTopicName: topics.outputs.workspaceTopicName
  }
  dependsOn: [
    eventRoles
  ]
}

module publisher 'publisher-roles.bicep' = if (!empty(principalId)) {
  name: 'publisher-roles'
  params: {
    names: names
    principalId: principalId
    principalType: principalType
  }
}

module uploaders 'uploader-role.bicep' = if (!empty(uploadersGroupId)) {
  name: 'uploader-role'
  params: {
    storageName: names.storage
    groupId: uploadersGroupId
  }
}

module people 'people.bicep' = if (!empty(emails)) {
  name: 'people'
  params: {
    location: location
    tags: tags
    token: token
    names: names
    emails: emails
    topicIds: [
      topics.outputs.storageTopicId
      topics.outputs.workspaceTopicId
    ]
  }
}

output appUrl string = app.outputs.url
